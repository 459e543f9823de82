//! What every store must do, whatever it keeps its entries in: one file for each store, and one about how much room
//! there is. A new implementation adds a line to `every_store!`.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on fails")]
#![allow(unreachable_pub, reason = "one program in several files")]

mod access_tokens;
mod assertions;
mod clients;
mod consents;
mod entries;
mod grants;
mod interactions;
mod pushed_requests;
mod refresh_families;
mod room;
mod sessions;

use idp::{
    demo,
    domain::redirect_uri::RedirectUri,
    store::{Stores, memory},
};

/// How many entries the stores under test hold at most.
const CAPACITY: usize = 64;
const REDIRECT_URI: &str = "http://127.0.0.1:5002/auth";

fn in_memory() -> Stores {
    let clients = demo::clients(&RedirectUri::parse(REDIRECT_URI).unwrap());
    memory::stores(clients, demo::users().unwrap(), CAPACITY, true)
}

/// Runs each sentence of each file for each implementation.
macro_rules! every_store {
    ($($store:ident: [$($sentence:ident),* $(,)?]),* $(,)?) => {
        mod memory_keeps_the_contract {
            $($(
                #[actix_web::test] async fn $sentence() {
                    crate::$store::$sentence(crate::in_memory()).await;
                }
            )*)*
        }
    };
}

every_store![
    clients: [
        clients_and_users_are_found_by_their_names_only,
        a_client_that_registered_itself_lives_as_long_as_it_is_used,
        a_client_is_unregistered_once_and_all_that_it_was_given_with_it,
        i23_one_address_leaves_room_for_the_clients_of_others,
    ],
    sessions: [
        a_session_lives_as_long_as_it_is_used_and_not_for_ever,
        an_ended_session_is_gone,
    ],
    consents: [
        a_consent_is_remembered_until_it_ends_or_is_withdrawn,
    ],
    pushed_requests: [
        fifty_browsers_come_for_a_pushed_request_and_one_gets_it,
        another_client_or_a_late_browser_gets_no_pushed_request,
    ],
    interactions: [
        an_interaction_goes_through_its_stages_in_order,
        only_one_decision_counts,
        an_interaction_ends_by_itself,
    ],
    grants: [
        a_code_is_redeemed_once_and_reuse_revokes_its_grant,
        fifty_at_once_redeem_a_code_once,
        another_client_leaves_a_code_as_it_was,
        a_late_code_is_late_and_later_unknown,
        a_used_code_is_remembered_as_long_as_what_it_bought,
        a_grant_is_revoked_by_its_name_or_with_all_of_one_user_at_one_client,
        i23_the_codes_of_grants_that_were_taken_back_take_no_room,
        i23_a_grant_that_found_no_room_leaves_nothing_behind,
    ],
    access_tokens: [
        an_access_token_ends_by_itself,
        a_revoked_access_token_is_gone_and_no_other_with_it,
    ],
    refresh_families: [
        i6_each_refresh_token_brings_the_next_and_an_old_one_kills_them_all,
        i6_fifty_at_once_rotate_a_refresh_token_once,
        i6_another_client_or_too_much_scope_leaves_a_refresh_token_as_it_was,
        i6_a_late_refresh_token_is_late_and_later_unknown,
        i6_families_are_killed_by_their_handle_or_with_all_of_one_user_at_one_client,
    ],
    assertions: [
        an_assertion_is_used_up_once_until_it_ends,
        i23_the_clients_of_one_registrant_leave_room_for_the_assertions_of_others,
    ],
    room: [
        sweeping_takes_what_has_ended_and_nothing_else,
        i23_a_full_store_refuses_the_new_and_keeps_what_is_under_way,
        i23_one_client_leaves_room_for_the_others,
        i23_one_address_leaves_room_for_the_others,
        i23_long_requests_fill_a_store_sooner,
    ],
];
