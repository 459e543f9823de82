<?php
// The application behind apache.conf. mod_auth_openidc has checked everything before this runs: state, the ID token's
// signature, iss, aud, exp and nonce; it has redeemed the code with the PKCE verifier and asked userinfo.

if ($_SERVER['REQUEST_URI'] === '/login') { // who is here has logged in
    header('Location: /', true, 303);
    exit;
}
if (!isset($_SERVER['OIDC_userinfo_json'])) {
    exit('<h1>Signed out</h1><p><a href="/login">Log in</a>');
}
header('Content-Type: application/json');
echo json_encode([
    'id_token' => json_decode($_SERVER['OIDC_id_token_payload']),
    'userinfo' => json_decode($_SERVER['OIDC_userinfo_json']),
]);
