//! What the flow viewer shows of a login, however it ends.

use e2e::{
    learner::Learner,
    pair::Pair,
    viewing::{LATEST, TO_FLOWS},
};

/// Every one of the ten steps in this state.
const fn ten(state: &str) -> [&str; 10] {
    [state; 10]
}

#[actix_web::test]
async fn a_successful_login_is_shown_step_by_step() {
    let pair = Pair::start();
    let learner = Learner::of(&pair).await;
    learner.logs_in().await;
    learner.opens_the_latest_flow().await;
    for (language, words, done) in
        [("en", ["Flow #1", "Login", "Success"], "done"), ("ja", ["フロー #1", "ログイン", "成功"], "済み")]
    {
        learner.switches_to(language).await;
        for word in words {
            assert!(learner.reads(".status").await.contains(word), "{word}");
        }
        assert_eq!(learner.steps().await, ten("done"));
        for step in 1..=10 {
            learner.chooses(&format!("m{step}")).await;
            assert_eq!(learner.reads(&format!("#m{step} .badge.state")).await, done);
            assert_eq!(learner.counts(&format!("#m{step} .verdict.failed")).await, 0);
        }
    }
    assert_eq!(learner.complaints().await, [""; 0]);
}

#[actix_web::test]
async fn the_token_request_is_shown_as_it_was_sent_and_as_it_arrived() {
    let pair = Pair::start();
    let learner = Learner::of(&pair).await;
    learner.logs_in().await;
    learner.opens_the_latest_flow().await;
    for (language, alike) in [("en", "not one byte differs"), ("ja", "1 バイトも違わない")] {
        learner.switches_to(language).await;
        learner.chooses("m8").await;
        assert!(learner.reads("#m8 .same").await.contains(alike));
        let sent = learner.reads("#m8 figure.rp pre").await;
        assert_eq!(sent, learner.reads("#m8 figure.idp pre").await);
        for part in
            ["POST /oauth/token HTTP/1.1", "traceparent:", "grant_type=authorization_code", "code_verifier="]
        {
            assert!(sent.contains(part), "{part}: {sent}");
        }
    }
}

#[actix_web::test]
async fn the_id_token_is_taken_apart_where_it_arrives() {
    let pair = Pair::start();
    let learner = Learner::of(&pair).await;
    learner.logs_in().await;
    learner.opens_the_latest_flow().await;
    for (language, parts) in
        [("en", ["Header", "Payload", "Signature"]), ("ja", ["ヘッダー", "ペイロード", "署名"])]
    {
        learner.switches_to(language).await;
        learner.chooses("m9").await;
        for part in parts {
            learner.sees(part).await;
        }
        let claim = |name: &str| format!("//article[@id='m9']//tr[th/code='{name}']/td[1]");
        assert_eq!(learner.reads_path(&claim("alg")).await, "RS256");
        assert_eq!(learner.reads_path(&claim("iss")).await, pair.issuer);
        assert_eq!(learner.reads_path(&claim("aud")).await, "client1");
        let token = learner.reads("#m9 .jwt code").await;
        assert_eq!(token.split('.').map(str::len).filter(|length| *length > 20).count(), 3, "{token}");
    }
}

#[actix_web::test]
async fn the_ledger_tells_how_long_each_value_is_kept_and_by_whom() {
    let pair = Pair::start();
    let learner = Learner::of(&pair).await;
    learner.logs_in().await;
    learner.opens_the_latest_flow().await;
    let cell = |value: &str, keeper: &str, step: u8| {
        format!(
            "//table[contains(@class,'ledger')]/tbody[tr[1]/th[1]='{value}']/tr[contains(@class,'{keeper}')]/td[{step}]"
        )
    };
    for (value, keeper, step, sign) in [
        ("state", "rp", 2, "+"),
        ("state", "rp", 7, "×"),
        ("code_verifier", "rp", 2, "+"),
        ("code_verifier", "rp", 8, "→"),
        ("code_challenge", "idp", 8, "="),
        ("code", "idp", 6, "+"),
        ("code", "idp", 8, "×"),
        ("nonce", "rp", 10, "="),
    ] {
        let shown = learner.reads_path(&cell(value, keeper, step)).await;
        assert!(shown.contains(sign), "{value} at the {keeper} in step {step}: {shown:?}");
    }
}

#[actix_web::test]
async fn a_cancelled_login_is_shown_as_cancelled_and_how_far_it_came() {
    let pair = Pair::start();
    let learner = Learner::of(&pair).await;
    learner.opens_home().await;
    learner.clicks_login().await;
    learner.signs_in().await;
    learner.cancels().await;
    learner.is_signed_out().await;
    learner.opens_the_latest_flow().await;
    for (language, outcome, stopped, never) in
        [("en", "Cancelled", "stopped here", "not yet"), ("ja", "取り消し", "ここで止まった", "まだ")]
    {
        learner.switches_to(language).await;
        let status = learner.reads(".status").await;
        assert!(status.contains(outcome) && status.contains("access_denied"), "{status}");
        assert_eq!(learner.steps().await[..6], ten("done")[..6]);
        assert_eq!(learner.steps().await[6..], ["failed", "todo", "todo", "todo"]);
        learner.chooses("m7").await;
        assert_eq!(learner.reads("#m7 .badge.state").await, stopped);
        learner.chooses("m8").await;
        assert_eq!(learner.reads("#m8 .badge.state").await, never);
    }
}

#[actix_web::test]
async fn a_forged_state_is_shown_with_the_check_that_it_failed() {
    let pair = Pair::start();
    let learner = Learner::of(&pair).await;
    learner.opens(&format!("{}/auth?code=c&state=forged&iss={}", pair.home, pair.issuer)).await;
    learner.sees("It is not clear which login this belongs to").await;
    learner.opens_its_flow().await;
    for (language, outcome, check, expected, actual) in [
        ("en", "Failed", "The state was made by this app", "a login under way", "no such login"),
        ("ja", "失敗", "state", "進行中のログイン", "そのようなログインはない"),
    ] {
        learner.switches_to(language).await;
        let status = learner.reads(".status").await;
        assert!(status.contains(outcome) && status.contains(check), "{status}");
        learner.chooses("m7").await;
        assert_eq!(learner.counts("#m7 .check.failed").await, 1);
        assert_eq!(learner.reads("#m7 .check.failed dd:nth-of-type(1)").await, expected);
        assert_eq!(learner.reads("#m7 .check.failed dd:nth-of-type(2)").await, actual);
    }
}

#[actix_web::test]
async fn a_made_up_code_is_shown_to_have_failed_at_the_idp() {
    let pair = Pair::start();
    let learner = Learner::of(&pair).await;
    learner.opens_home().await;
    learner.clicks_login().await;
    let state = learner.state_of_login().await;
    learner.opens(&format!("{}/auth?code=made-up&state={state}&iss={}", pair.home, pair.issuer)).await;
    learner.opens_its_flow().await;
    for (language, outcome, expected, actual) in [
        ("en", "Failed", "a code that this provider issued", "an unknown code"),
        ("ja", "失敗", "この IdP が発行したコード", "知らないコード"),
    ] {
        learner.switches_to(language).await;
        let status = learner.reads(".status").await;
        assert!(status.contains(outcome) && status.contains("invalid_grant"), "{status}");
        learner.chooses("m8").await;
        assert_eq!(learner.reads("#m8 .check.failed dd:nth-of-type(1)").await, expected);
        assert_eq!(learner.reads("#m8 .check.failed dd:nth-of-type(2)").await, actual);
        learner.chooses("m9").await;
        learner.sees("invalid_grant").await;
        assert_eq!(learner.steps().await[8..], ["failed", "todo"]);
    }
}

#[actix_web::test]
async fn a_login_that_nobody_went_on_with_is_shown_as_given_up() {
    let pair = Pair::start();
    let learner = Learner::of(&pair).await;
    learner.opens_home().await;
    learner.clicks_login().await;
    pair.passes(599);
    learner.opens_the_latest_flow().await;
    assert!(learner.reads(".status").await.contains("Under way"));
    pair.passes(1);
    learner.reloads().await;
    for (language, outcome) in [("en", "Given up"), ("ja", "途中で終了")] {
        learner.switches_to(language).await;
        let status = learner.reads(".status").await;
        assert!(status.contains(outcome), "{status}");
        assert_eq!(learner.steps().await[..2], ten("done")[..2]);
        assert_eq!(learner.steps().await[3..], ten("todo")[3..]);
        learner.opens(&format!("{}/flows", pair.home)).await;
        learner.sees(outcome).await;
        learner.goes_back().await;
    }
}

#[actix_web::test]
async fn every_page_of_a_login_leads_to_its_flow_also_those_of_the_idp() {
    let pair = Pair::start();
    let learner = Learner::of(&pair).await;
    learner.opens_home().await;
    learner.clicks_login().await;
    learner.opens_its_flow().await;
    let flow = learner.address().await;
    assert!(flow.as_str().starts_with(&format!("{}/flows/", pair.home)), "{flow}");
    learner.goes_back().await;
    // The dot of a step leads to the step.
    learner.clicks(".ribbon li.done:nth-child(2) a").await;
    learner.is_at(&format!("{flow}#m2")).await;
    learner.sees("Send the request to the IdP").await;
    learner.goes_back().await;
    learner.signs_in().await;
    learner.clicks(".ribbon li.done:nth-child(4) a").await;
    learner.is_at(&format!("{flow}#m4")).await;
    learner.goes_back().await;
    learner.allows().await;
    learner.is_welcomed().await;
    assert_eq!(learner.finds(TO_FLOWS).await.attr("href").await.unwrap().unwrap(), flow.path());
    learner.clicks(".ribbon li.done:nth-child(8) a").await;
    learner.is_at(&format!("{flow}#m8")).await;
    learner.sees("Exchange the code for tokens").await;
}

#[actix_web::test]
async fn the_list_has_the_latest_flow_first_and_leads_to_a_comparison() {
    let pair = Pair::start();
    Learner::of(&pair).await.logs_in().await;
    let learner = Learner::of(&pair).await;
    learner.opens_home().await;
    learner.clicks_login().await;
    learner.signs_in().await;
    learner.cancels().await;
    learner.is_signed_out().await;
    learner.opens(&format!("{}/flows", pair.home)).await;
    assert_eq!(learner.reads(LATEST).await, "#2");
    assert_eq!(learner.counts("table.flows tbody tr").await, 2);
    learner.clicks(LATEST).await;
    learner.follows("Compare").await;
    learner.clicks("table.flows tbody tr:last-child a.s").await;
    learner.sees("The first difference: Decide on the consent page.").await;
    learner.switches_to("ja").await;
    learner.sees("最初の違い: 同意画面で選ぶ。").await;
}

#[actix_web::test]
async fn whoever_runs_the_idp_sees_its_half() {
    let pair = Pair::start();
    let learner = Learner::of(&pair).await;
    learner.logs_in().await;
    learner.opens(&pair.idp_flows).await;
    learner.is_at(&format!("{}/flows", pair.issuer)).await;
    learner.clicks(LATEST).await;
    learner.sees("Tokens issued").await;
    learner.sees("This is what the IdP recorded.").await;
    let steps = learner.steps().await;
    assert_eq!([&*steps[0], &*steps[6], &*steps[9]], ["unseen"; 3]);
    learner.chooses("m8").await;
    assert_eq!(learner.counts("#m8 figure").await, 1);
}
