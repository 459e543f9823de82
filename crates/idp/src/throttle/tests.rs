use futures_util::{FutureExt as _, future::join_all};
use shared::clock::ManualClock;

use super::{
    books::{PAUSE, WINDOW},
    *,
};

const START: Timestamp = Timestamp::from_unix(1_000_000);

fn throttle() -> (Throttle, Arc<ManualClock>) {
    let clock = Arc::new(ManualClock::at(START));
    (Throttle::new(clock.clone()), clock)
}

fn account(name: &str) -> Account {
    Account::of(None, &Username::parse(name))
}

/// A visitor with a browser and an address of their own.
fn visitor(number: u32) -> Visitor {
    let address = std::net::Ipv4Addr::from_bits(number);
    Visitor { browser: SecretHash::of(&number.to_string()), address: Some(address.into()) }
}

/// The same from one address: what they look like on one computer, or in one class room.
fn here(number: u32) -> Visitor {
    Visitor { address: visitor(0).address, ..visitor(number) }
}

/// Tries a wrong password; the seconds to wait when it is not even looked at.
async fn fails(throttle: &Throttle, name: &str, with: u32) -> Option<u64> {
    fails_as(throttle, name, visitor(with)).await
}

async fn fails_as(throttle: &Throttle, name: &str, visitor: Visitor) -> Option<u64> {
    match throttle.begin(account(name), visitor).await {
        Ok(attempt) => {
            drop(attempt);
            None
        }
        Err(Refused::TooSoon(wait)) => Some(wait.as_secs()),
        Err(Refused::Busy(_)) => Some(0),
    }
}

#[tokio::test]
async fn i10_after_five_failures_a_browser_waits_twice_as_long_each_time() {
    let (throttle, clock) = throttle();
    for _ in 0..5 {
        assert_eq!(fails(&throttle, "a", 1).await, None);
    }
    for wait in [5, 10, 20, 40, 80, 160, 320, 640, 900, 900] {
        assert_eq!(fails(&throttle, "a", 1).await, Some(wait));
        clock.advance(Duration::from_secs(wait - 1));
        assert_eq!(fails(&throttle, "a", 1).await, Some(1));
        clock.advance(Duration::from_secs(1));
        assert_eq!(fails(&throttle, "a", 1).await, None);
    }
    assert_eq!(fails(&throttle, "b", 1).await, None, "another account is another matter");
}

#[tokio::test]
async fn i10_whoever_did_not_fail_waits_for_seconds_only() {
    let (throttle, clock) = throttle();
    for _ in 0..20 {
        fails(&throttle, "a", 1).await;
        clock.advance(Duration::from_secs(60));
    }
    assert!(fails(&throttle, "a", 1).await > Some(60));
    throttle.begin(account("a"), visitor(2)).await.unwrap().succeed();
    assert_eq!(fails(&throttle, "a", 3).await, None);
    assert_eq!(fails(&throttle, "a", 4).await, Some(5));
}

#[tokio::test]
async fn i10_to_throw_the_cookie_away_wins_a_guess_in_five_seconds_at_most() {
    let (throttle, clock) = throttle();
    let mut guesses = 0;
    for second in 0..300_u32 {
        for again in 0..3 {
            // A new one each time; and one that came five seconds ago comes back.
            for browser in [3 * second + again, (3 * second + again).saturating_sub(15)] {
                guesses += u32::from(fails(&throttle, "a", browser).await.is_none());
            }
        }
        clock.advance(Duration::from_secs(1));
    }
    assert!((6..=5 + 59).contains(&guesses), "{guesses}");
}

/// Seconds until a right password is looked at, of somebody who comes back each time as told. Meanwhile `flood` goes on,
/// ten times a second.
async fn gets_in(
    throttle: &Throttle,
    clock: &ManualClock,
    name: &str,
    visitor: Visitor,
    mut flood: impl AsyncFnMut(u32),
) -> u32 {
    let mut back = 0;
    for second in 0..600 {
        for again in 0..10 {
            flood(10 * second + again).await;
        }
        if second >= back {
            match throttle.begin(account(name), visitor).await {
                Ok(attempt) => {
                    attempt.succeed();
                    return second;
                }
                Err(Refused::TooSoon(wait)) => back = second + u32::try_from(wait.as_secs()).unwrap(),
                Err(Refused::Busy(busy)) => panic!("{busy}"),
            }
        }
        clock.advance(Duration::from_secs(1));
    }
    panic!("locked out");
}

#[tokio::test]
async fn i10_whoever_waits_as_told_gets_in_while_one_user_is_flooded() {
    let (throttle, clock) = throttle();
    for number in 0..600 {
        fails_as(&throttle, "a", here(number % 12)).await;
    }
    // A dozen cookies, and then a new one each time.
    let waited = gets_in(&throttle, &clock, "a", here(1000), async |number| {
        fails_as(&throttle, "a", here(number % 12)).await;
    });
    assert!((1..=10).contains(&waited.await));
    let waited = gets_in(&throttle, &clock, "a", here(1001), async |number| {
        fails_as(&throttle, "a", here(10_000 + number)).await;
    });
    assert!(waited.await <= 10);
}

#[tokio::test]
async fn i10_whoever_waits_as_told_gets_in_while_made_up_names_are_flooded() {
    let (throttle, clock) = throttle();
    let mut made_up = 0;
    for (at, number) in [(here as fn(u32) -> Visitor, 1000), (visitor, 1001)] {
        for _ in 0..600 {
            made_up += 1;
            fails_as(&throttle, &format!("made up {made_up}"), at(10_000 + made_up)).await;
        }
        let waited = gets_in(&throttle, &clock, "a", at(number), async |_| {
            made_up += 1;
            fails_as(&throttle, &format!("made up {made_up}"), at(10_000 + made_up)).await;
        });
        let waited = waited.await;
        assert!((1..=10).contains(&waited), "{waited}");
    }
}

#[tokio::test]
async fn i10_who_is_overtaken_gets_a_time_of_its_own() {
    let (throttle, clock) = throttle();
    for number in 0..5 {
        fails_as(&throttle, "a", here(number)).await;
    }
    // New cookies that wait as told, too, and are faster each time.
    let mut told = HashMap::new();
    let mut newest = 10_000;
    let began = clock.now();
    let waited = gets_in(&throttle, &clock, "a", here(1000), async |_| {
        let now = clock.now();
        let back: Vec<u32> = told.iter().filter(|(_, due)| **due <= now).map(|(number, _)| *number).collect();
        newest += 1;
        for number in back.into_iter().chain([newest]) {
            told.remove(&number);
            if let Some(wait) = fails_as(&throttle, "a", here(number)).await
                && told.len() < 3
            {
                told.insert(number, now + Duration::from_secs(wait));
            }
        }
    });
    let waited = waited.await;
    assert!((1..=60).contains(&waited), "{waited} s from {began:?}");
}

#[tokio::test]
async fn i10_one_address_leaves_failures_to_the_others() {
    let (throttle, clock) = throttle();
    for second in 0..300 {
        for again in 0..10 {
            let number = 10 * second + again;
            fails_as(&throttle, &format!("made up {number}"), here(number)).await;
        }
        clock.advance(Duration::from_secs(1));
    }
    for number in 0..50 {
        let other = visitor(10_000 + number);
        assert_eq!(fails_as(&throttle, &format!("other {number}"), other).await, None, "{number}");
    }
}

#[tokio::test]
async fn i10_a_browser_that_has_signed_in_before_has_tries_of_its_own() {
    let (throttle, clock) = throttle();
    throttle.begin(account("a"), here(1)).await.unwrap().succeed();
    for number in 100..300 {
        fails_as(&throttle, "a", here(number)).await;
        fails_as(&throttle, &number.to_string(), here(number)).await;
    }
    for _ in 0..5 {
        assert_eq!(fails_as(&throttle, "a", here(1)).await, None);
    }
    assert_eq!(fails_as(&throttle, "a", here(1)).await, Some(5), "they are few");
    clock.advance(PAUSE);
    throttle.begin(account("a"), here(1)).await.unwrap().succeed();
    assert!(fails_as(&throttle, "b", here(1)).await.is_some(), "at that account only");
    clock.advance(Duration::from_secs(24 * 3600));
    for number in 400..405 {
        fails_as(&throttle, "a", here(number)).await;
    }
    assert!(fails_as(&throttle, "a", here(1)).await.is_some(), "and not for ever");
}

#[tokio::test]
async fn i10_those_who_wait_at_one_account_leave_room_for_the_others() {
    let (throttle, _) = throttle();
    let mut under_way = Vec::new();
    for number in 0..5 {
        under_way.push(throttle.begin(account("a"), visitor(number)).await.unwrap());
    }
    let mut waiting = Vec::new();
    let mut busy = 0;
    for number in 0..600 {
        let mut waits = Box::pin(throttle.begin(account("a"), visitor(100 + number)));
        match (&mut waits).now_or_never() {
            None => waiting.push(waits),
            Some(refused) => {
                assert_eq!(refused.err(), Some(Refused::Busy(Busy)));
                busy += 1;
            }
        }
    }
    assert_eq!((waiting.len(), busy), (MOST_WAITING_EACH, 600 - MOST_WAITING_EACH));
    throttle.begin(account("b"), visitor(1000)).await.unwrap().succeed();
    drop(waiting);
    assert!(throttle.waiting.lock().unwrap().is_empty());
}

#[tokio::test]
async fn i10_of_a_hundred_wrong_passwords_at_once_five_are_looked_at() {
    let (throttle, _) = throttle();
    let looked_at = async |number: u32| match throttle.begin(account("a"), visitor(number)).await {
        Ok(_attempt) => {
            tokio::task::yield_now().await;
            true
        }
        Err(refused) => {
            assert_eq!(refused, Refused::TooSoon(PAUSE));
            false
        }
    };
    let looked_at = join_all((0..100).map(looked_at)).await;
    assert_eq!(looked_at.into_iter().filter(|looked_at| *looked_at).count(), 5);
}

#[tokio::test]
async fn i10_of_a_hundred_right_passwords_at_once_all_are_looked_at() {
    const MISTYPED: u32 = 1000;
    let (throttle, _) = throttle();
    let mistyped = async || {
        for _ in 0..4 {
            fails(&throttle, "a", MISTYPED).await;
        }
    };
    mistyped().await;
    let signs_in = async |number: u32| {
        let attempt = throttle.begin(account("a"), visitor(number)).await.unwrap();
        tokio::task::yield_now().await;
        attempt.succeed();
    };
    join_all((0..100).map(signs_in)).await;
    throttle.begin(account("a"), visitor(MISTYPED)).await.unwrap().succeed();
    assert!(throttle.books().is_empty(), "nothing is left to remember");
    mistyped().await;
    assert_eq!(fails(&throttle, "a", MISTYPED).await, None, "what was only mistyped does not count");
}

#[tokio::test]
async fn i10_five_quiet_minutes_make_up_for_failures() {
    let (throttle, clock) = throttle();
    for number in 0..4 {
        fails(&throttle, "a", number).await;
    }
    clock.advance(WINDOW);
    for number in 0..5 {
        assert_eq!(fails(&throttle, "a", number).await, None);
    }
    assert_eq!(fails(&throttle, "a", 5).await, Some(5));
    throttle.sweep(START + WINDOW + WINDOW);
    assert!(throttle.books().is_empty());
}

#[tokio::test]
async fn i10_a_hundred_failures_over_all_and_then_one_a_second() {
    let (throttle, clock) = throttle();
    for number in 0..100 {
        assert_eq!(fails(&throttle, &format!("user {number}"), number).await, None);
    }
    assert_eq!(fails(&throttle, "another user", 1000).await, Some(1));
    let names: Vec<_> = (0..10).map(|number: u32| format!("late {number}")).collect();
    for (number, name) in (2000..).zip(&names) {
        assert_eq!(fails(&throttle, name, number).await, Some(1));
    }
    clock.advance(Duration::from_secs(2));
    let admitted = join_all((2000..).zip(&names).map(async |(number, name)| {
        let attempt = throttle.begin(account(name), visitor(number)).await;
        tokio::task::yield_now().await;
        attempt.is_ok()
    }));
    assert_eq!(admitted.await.into_iter().filter(|admitted| *admitted).count(), 2);
}

#[tokio::test]
async fn i10_a_password_that_was_not_looked_at_did_not_fail() {
    let (throttle, _) = throttle();
    for number in 0..200 {
        throttle.begin(account("a"), visitor(number)).await.unwrap().give_up();
    }
    assert!(throttle.books().is_empty());
}

#[test]
fn i10_all_names_of_one_user_are_one_account() {
    let user = crate::demo::users().unwrap().remove(0);
    let account = |typed| Account::of(Some(&user), &Username::parse(typed));
    assert_eq!(account("demo"), account("1@example.com"));
    let nobody = |typed| Account::of(None, &Username::parse(typed));
    assert_eq!(nobody("Alice"), nobody("alice "));
    assert_ne!(nobody("alice"), nobody("bob"));
    assert_ne!(nobody("1"), account("demo"));
}
