// A client without a server: OpenID Connect's code flow with PKCE, done by this page alone, as a public client (OAuth 2.0
// for Browser-Based Applications §6.3). Read it from top to bottom: it is in the order of the flow. What the page shows of
// it stands in spa-view.js, and decides nothing.

const page = document.getElementById("spa").dataset; // issuer, client_id, redirect_uri, api: no secret is among them
const view = await import(page.view);
const { words } = view;

// The tokens stand in this variable and nowhere else. localStorage and sessionStorage would survive a reload, and any
// script that ever runs on this origin could read them there, today's or next week's.
let tokens = null;

// What must survive the way to the IdP and back, since this page is left for it: never a token. It is of this tab alone,
// works once, and is deleted as soon as the browser is back.
const KEPT = "spa-login";
const WAS_SIGNED_IN = "spa-was-signed-in";

function keep(what, token) {
  const kept = JSON.stringify({ ...what, said: view.said() });
  sessionStorage.setItem(KEPT, token ? kept.replaceAll(token, "[not-kept]") : kept);
}

function take() {
  const kept = JSON.parse(sessionStorage.getItem(KEPT));
  sessionStorage.removeItem(KEPT);
  return kept;
}

// ---------------------------------------------------------------------------------------------- small things

/** A check refused. It is shown already. */
class Refused extends Error {}

/** The IdP answered with an error (RFC 6749 §4.1.2.1, §5.2). */
class Declined extends Error {}

function check(rule, expected, actual, passed = expected === actual) {
  view.judge(rule, expected, actual, passed ? "passed" : "failed");
  if (!passed) throw new Refused(rule);
}

/** 256 random bits as 43 characters: as many as RFC 7636 §4.1 asks for, and more than anybody guesses. */
function random() {
  return base64url(crypto.getRandomValues(new Uint8Array(32)));
}

function base64url(bytes) {
  return btoa(String.fromCharCode(...bytes)).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

function bytesOf(base64url) {
  return Uint8Array.from(atob(base64url.replaceAll("-", "+").replaceAll("_", "/")), (it) => it.charCodeAt(0));
}

async function hash(algorithm, text) {
  return new Uint8Array(await crypto.subtle.digest(algorithm, new TextEncoder().encode(text)));
}

/** Seconds since 1970. They are counted from the server's time, because the demo's clock can be put forward. */
const ahead = Number(page.now) - Date.now();

function now() {
  return Math.floor((Date.now() + ahead) / 1000);
}

/** What fetch throws. */
function isNoAnswer(error) {
  return ["TypeError", "TimeoutError"].includes(error.name);
}

/** A request to the IdP, across origins: its answer may be read because the IdP says so (CORS), for this origin only. */
async function ask(exchange, method, address, { form, token } = {}) {
  const headers = { accept: "application/json" };
  if (form) headers["content-type"] = "application/x-www-form-urlencoded";
  if (token) headers.authorization = `Bearer ${token}`;
  const body = form && new URLSearchParams(form).toString();
  const said = view.sends(exchange, method, address, headers, body);
  // No cookies go along, and none are needed: the tokens say it all. A redirect would lead who knows where.
  const how = { method, headers: said.headers, body, credentials: "omit", redirect: "error", cache: "no-store" };
  const answer = await fetch(address, { ...how, signal: AbortSignal.timeout(5000) });
  const text = await answer.text();
  said.answered(answer, text);
  let json = {};
  try {
    json = JSON.parse(text) ?? {};
  } catch {
    // what is no JSON has none of the members that are looked for
  }
  return { ...json, status: answer.status };
}

/** The address that takes these parameters; a query of its own stays (RFC 6749 §3.1). */
function asking(endpoint, parameters) {
  const address = new URL(endpoint);
  for (const [name, value] of Object.entries(parameters)) address.searchParams.append(name, value);
  return address;
}

// ---------------------------------------------------------------------------------------- before the request

/** OpenID Connect Discovery §4.3: the document must be about the issuer that it was asked of, to the letter. */
async function discover() {
  const address = `${page.issuer.replace(/\/$/, "")}/.well-known/openid-configuration`;
  const metadata = await ask("discovery", "GET", address);
  check("issuer_discovered", page.issuer, metadata.issuer);
  view.knows(metadata);
  return metadata;
}

// ------------------------------------------------------------------------------------------- steps 1 and 2

async function login() {
  view.startOver(); // what was said before had tokens in it, and is not to be kept on the way
  const metadata = await discover();
  // state ties the answer to this tab, nonce the ID token to this login, the verifier the code to this client: with no
  // secret, PKCE alone keeps a stolen code from being redeemed (RFC 9700 §2.1.1).
  const [state, nonce, verifier] = [random(), random(), random()];
  const challenge = base64url(await hash("SHA-256", verifier));
  const scope = page.scope + (document.getElementById("offline").checked ? " offline_access" : "");
  const request = asking(metadata.authorization_endpoint, {
    response_type: "code",
    client_id: page.client_id,
    redirect_uri: page.redirect_uri,
    scope,
    state,
    nonce,
    code_challenge: challenge,
    code_challenge_method: "S256",
    ui_locales: document.documentElement.lang,
  });
  view.lives(2, ["state", "nonce", "code_verifier"], "created", "stored");
  view.lives(2, ["code_challenge"], "created", "sent");
  view.lives(2, ["state", "nonce"], "sent");
  view.sends("authorize", "GET", request.href, {});
  const announced = metadata.authorization_response_iss_parameter_supported === true;
  keep({ state, nonce, verifier, scope, announced });
  await view.tell(state);
  location.assign(request);
}

// Steps 3 to 6 happen at the IdP. Whoever is signed in there is still asked for consent: anybody can pretend to be a
// client that has no secret.

// ------------------------------------------------------------------------------------------------- step 7

async function comeBack(query) {
  const kept = take();
  view.restore(kept?.said);
  view.came("callback");
  const state = query.get("state");
  // RFC 6749 §10.12: an answer that this tab did not ask for is not looked at any further.
  if (!kept?.state) check("state_known", words("login_under_way"), words("no_such_login"), false);
  check("state_known", kept.state, state, query.getAll("state").length === 1 && state === kept.state);
  view.lives(7, ["state"], "compared", "destroyed");
  // RFC 9207 §2.4: the answer comes from the IdP that was asked. Absent it may be only where it was not announced.
  const issuers = query.getAll("iss");
  if (issuers.length || kept.announced) {
    check("response_issuer", page.issuer, issuers.join(" ") || undefined);
  } else {
    view.judge("response_issuer", page.issuer, words("absent_not_announced"), "not_applicable");
  }
  if (query.has("error")) throw new Declined(query.get("error"));
  view.lives(7, ["code"], "received");
  return redeem(query.get("code"), kept);
}

// ------------------------------------------------------------------------------------------- steps 8 and 9

async function redeem(code, { nonce, verifier, scope }) {
  const metadata = await discover(); // the page was loaded anew: it remembers nothing
  const form = {
    grant_type: "authorization_code",
    code,
    redirect_uri: page.redirect_uri,
    client_id: page.client_id, // who we are; nothing proves it
    code_verifier: verifier, // but that we began this login, this does (RFC 7636 §4.5)
  };
  view.lives(8, ["code", "code_verifier"], "sent", "destroyed");
  const answer = await ask("token", "POST", metadata.token_endpoint, { form });
  if (answer.status !== 200) throw new Declined(answer.error);
  check("token_type", "Bearer", answer.token_type, /^bearer$/i.test(answer.token_type));
  check("id_token_present", words("present"), words(answer.id_token ? "present" : "absent"), !!answer.id_token);
  view.lives(9, ["access_token", "id_token"], "received", "stored");
  if (answer.refresh_token) view.lives(9, ["refresh_token"], "received", "stored");
  const claims = await validate(answer.id_token, metadata, nonce, answer.access_token);
  view.lives(10, ["nonce"], "compared", "destroyed");

  // OpenID Connect Core §5.3.2: claims about somebody else are not mixed in.
  const userinfo = await about(metadata.userinfo_endpoint, answer.access_token);
  if (userinfo) check("userinfo_subject", claims.sub, userinfo.sub);

  // RFC 6749 §5.1: an answer without a scope means the one that was asked for.
  tokens = { scope, ...answer, metadata, claims, nonce, used: null };
  sessionStorage.setItem(WAS_SIGNED_IN, "yes");
  view.lives(10, ["session"], "created", "stored");
  view.signedIn(tokens, userinfo ?? {});
  return userinfo ? undefined : "no_userinfo";
}

/** The claims about the user, if the endpoint is there and tells them. Who signed in is known without it. */
async function about(endpoint, token) {
  if (!endpoint) return undefined;
  try {
    const userinfo = await ask("userinfo", "GET", endpoint, { token });
    return userinfo.status === 200 ? userinfo : undefined;
  } catch (error) {
    if (!isNoAnswer(error)) throw error;
    return undefined;
  }
}

// ------------------------------------------------------------------------------------------------ step 10

// The algorithms that are accepted, and what each needs. `none` and the HS family are not among them, and a key fits one
// only if it is of its kind (RFC 8725 §3.1).
const ALGORITHMS = {
  RS256: { kty: "RSA", key: { name: "RSASSA-PKCS1-v1_5", hash: "SHA-256" }, hash: "SHA-256" },
  ES256: { kty: "EC", key: { name: "ECDSA", namedCurve: "P-256" }, hash: "SHA-256" },
  EdDSA: { kty: "OKP", key: { name: "Ed25519" }, hash: "SHA-512" },
};

/** OpenID Connect Core §3.1.3.7, and §12.2 for a token that came with a refresh. Its claims, if all is well. */
async function validate(idToken, metadata, nonce, accessToken, before = null) {
  const parts = String(idToken).split(".");
  check("token_well_formed", words("signed_jwt"), words("parts", parts.length), parts.length === 3);
  const [header, claims] = ["header", "payload"].map((name, at) => {
    try {
      const json = JSON.parse(new TextDecoder().decode(bytesOf(parts[at])));
      if (Object.prototype.toString.call(json) !== "[object Object]") throw new SyntaxError("no object");
      return json;
    } catch {
      return check("token_well_formed", words("signed_jwt"), words("not_json", name), false);
    }
  });

  const accepted = Object.keys(ALGORITHMS);
  check("algorithm", accepted.join(", "), header.alg, accepted.includes(header.alg));
  check("critical_header", words("absent"), header.crit ?? words("absent"), header.crit === undefined);
  const algorithm = ALGORITHMS[header.alg];
  const expected = words("signed_by_key", header.kid);
  const { keys } = await ask("keys", "GET", metadata.jwks_uri);
  const key = [keys].flat().find((it) => it?.kid === header.kid && it.kty === algorithm.kty);
  if (!key) check("signature", expected, words("no_such_key"), false);
  const isSigned = await verify(algorithm, key, parts);
  check("signature", expected, isSigned ? expected : words("signed_by_other"), isSigned);

  check("issuer_claim", page.issuer, claims.iss);
  check("subject_claim", words("subject_text"), claims.sub, /^[\x20-\x7e]{1,255}$/.test(claims.sub ?? ""));
  const audience = [claims.aud].flat();
  const isOurs = audience.length > 0 && audience.every((it) => it === page.client_id);
  check("audience", words("nobody_else", page.client_id), claims.aud, isOurs);
  perhaps("authorized_party", page.client_id, claims.azp);

  const skew = 60;
  const isTime = Number.isFinite; // a text that looks like a number is none
  check("expiry", words("after", now()), claims.exp, isTime(claims.exp) && now() < claims.exp + skew);
  check("issued_at", words("not_after", now()), claims.iat, isTime(claims.iat) && claims.iat <= now() + skew);
  const begins = claims.nbf; // RFC 7519 §4.1.5: from when it is good, where it says so
  if (begins !== undefined) check("not_before", words("not_after", now()), begins, isTime(begins) && begins <= now() + skew);
  if (before) perhaps("nonce", nonce, claims.nonce);
  else check("nonce", nonce, claims.nonce);
  // §3.1.3.8: the left half of the access token's hash binds the two tokens to each other.
  const whole = await hash(algorithm.hash, accessToken);
  perhaps("access_token_hash", base64url(whole.slice(0, whole.length / 2)), claims.at_hash);
  if (before) check("renewed_subject", before.sub, claims.sub);
  return claims;
}

/** A claim that need not be there, but must be right if it is. */
function perhaps(rule, expected, actual) {
  if (actual === undefined) view.judge(rule, expected, words("absent"), "not_applicable");
  else check(rule, expected, actual);
}

/** Whether `key` signed the first two parts. Only the public numbers of the key are used, whatever else it says of itself. */
async function verify({ key: algorithm }, { kty, n, e, crv, x, y }, [header, payload, signature]) {
  try {
    const key = await crypto.subtle.importKey("jwk", { kty, n, e, crv, x, y }, algorithm, false, ["verify"]);
    const signed = new TextEncoder().encode(`${header}.${payload}`);
    return await crypto.subtle.verify({ ...algorithm, hash: "SHA-256" }, key, bytesOf(signature), signed);
  } catch {
    return false; // not even a signature, or an algorithm that this browser does not have
  }
}

// ------------------------------------------------------------------------------------- after the ten steps

/** RFC 6750 §2.1: whoever holds the access token may use it. */
async function callApi() {
  const answer = await ask("api", "GET", `${page.api}/me`, { token: tokens.access_token });
  if (answer.status !== 200) throw new Declined(answer.error ?? "invalid_token");
}

/** RFC 6749 §6. RFC 9700 §4.14.2: a public client gets a new refresh token each time, and the old one is dead. */
async function refresh(_, refreshToken = tokens.refresh_token) {
  const form = { grant_type: "refresh_token", refresh_token: refreshToken, client_id: page.client_id };
  const answer = await ask("refresh", "POST", tokens.metadata.token_endpoint, { form });
  if (answer.status !== 200) throw new Declined(answer.error);
  const { metadata, nonce, claims } = tokens;
  if (answer.id_token) await validate(answer.id_token, metadata, nonce, answer.access_token, claims);
  view.lives(10, ["access_token", "refresh_token"], "received", "stored");
  tokens = { ...tokens, ...answer, used: refreshToken };
}

/** What a thief would do with a refresh token that was stolen earlier. The IdP cannot tell who it is, and ends them all. */
function replay() {
  return refresh(undefined, tokens.used);
}

/** RFC 7009: to give the refresh token back ends all that came of it. */
async function revoke() {
  const token = tokens.refresh_token ?? tokens.access_token;
  const form = { token, client_id: page.client_id };
  const answer = await ask("revoke", "POST", tokens.metadata.revocation_endpoint, { form });
  if (answer.status !== 200) throw new Declined(answer.error);
}

/** To forget the tokens is no sign-out: at the IdP the session goes on, and the tokens are good until they end. */
function forget() {
  tokens = null;
  sessionStorage.removeItem(WAS_SIGNED_IN);
  view.startOver(); // the messages had them, too
  view.signedOut("forgotten");
}

/** OpenID Connect RP-Initiated Logout §2: the browser goes to the IdP, which ends its session and sends it back. */
async function signOut() {
  const state = random();
  const hint = tokens.id_token;
  const request = asking(tokens.metadata.end_session_endpoint, {
    id_token_hint: hint,
    client_id: page.client_id,
    post_logout_redirect_uri: page.redirect_uri,
    state,
  });
  forget();
  view.sends("end_session", "GET", request.href, {});
  keep({ logout: state }, hint);
  await view.tell(state);
  location.assign(request);
}

function signedOut(query) {
  const kept = take();
  view.restore(kept?.said);
  view.came("logout_done");
  const state = query.get("state");
  if (!kept?.logout) check("logout_state", words("logout_under_way"), words("no_such_logout"), false);
  check("logout_state", kept.logout, state);
  view.signedOut("done");
}

// -------------------------------------------------------------------------------------------- the beginning

/** Does one thing, shows what came of it, and tells the server behind this page, which only looks on. */
async function attempt(deed, query) {
  view.begins(deed.name);
  try {
    const how = await deed(query);
    view.done(how ?? deed.name);
  } catch (error) {
    if (!tokens) view.signedOut();
    if (error instanceof Refused) view.failed("refused");
    else if (error instanceof Declined) view.failed("declined", error.message);
    else if (isNoAnswer(error)) view.failed("unreachable");
    else throw error;
  } finally {
    await view.tell(query?.get("state"));
    view.ends(tokens);
  }
}

for (const deed of [login, callApi, refresh, replay, revoke, signOut, forget]) {
  document.getElementById(deed.name).addEventListener("click", () => attempt(deed));
}

const query = new URLSearchParams(location.search);
view.start();
// The code leaves the address bar, and with it the history, before anything else happens.
if (["state", "code", "error"].some((name) => query.has(name))) history.replaceState(null, "", location.pathname);

if (!crypto.subtle) {
  view.signedOut("insecure"); // browsers compute for https and for this computer only
} else if (query.has("code") || query.has("error")) {
  await attempt(comeBack, query);
} else if (query.has("state")) {
  await attempt(signedOut, query);
} else {
  // The tokens of before are gone with the page that held them.
  view.signedOut(sessionStorage.getItem(WAS_SIGNED_IN) ? "reloaded" : undefined);
  sessionStorage.removeItem(WAS_SIGNED_IN);
}
