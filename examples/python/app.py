"""A web application whose users log in at the IdP: Python with Flask and Authlib.

    pip install -r requirements.txt
    python app.py                       then open http://127.0.0.1:8001
"""

import os
from urllib.parse import urlencode

from authlib.integrations.flask_client import OAuth, OAuthError
from authlib.integrations.requests_client import OAuth2Session
from flask import Flask, jsonify, redirect, session

ISSUER = os.environ.get("ISSUER", "http://127.0.0.1:5001")
ORIGIN = os.environ.get("ORIGIN", "http://127.0.0.1:8001")

app = Flask(__name__)
app.secret_key = os.urandom(32)
# Cookies ignore ports: on 127.0.0.1 another application's "session" would overwrite ours.
app.config["SESSION_COOKIE_NAME"] = "python_example"

# Not in the session: Flask's is a cookie, and whoever has it can read it.
refresh_tokens = {}

idp = OAuth(app).register(
    "idp",
    server_metadata_url=f"{ISSUER}/.well-known/openid-configuration",
    client_id=os.environ.get("CLIENT_ID", "python"),
    client_secret=os.environ.get("CLIENT_SECRET", "python-secret"),
    client_kwargs={"scope": "openid profile email offline_access", "code_challenge_method": "S256"},
)


@app.get("/")
def home():
    if "claims" not in session:
        return '<h1>Signed out</h1><p><a href="/login">Log in</a>'
    return jsonify(session["claims"])


@app.get("/login")
def login():
    # Makes state, nonce and the PKCE verifier, and keeps them in the session.
    return idp.authorize_redirect(f"{ORIGIN}/callback")


@app.get("/callback")
def callback():
    try:
        # Checks state, redeems the code with the verifier, checks the ID token: signature, iss, aud, exp, nonce.
        token = idp.authorize_access_token()
    except OAuthError as error:
        return f"The login failed: {error}", 400, {"Content-Type": "text/plain"}
    session.clear()
    session["claims"] = {"id_token": token["userinfo"], "userinfo": idp.userinfo(token=token)}
    session["id_token"] = token["id_token"]
    refresh_tokens[token["userinfo"]["sub"]] = token["refresh_token"]
    return redirect("/")


@app.get("/tokens")
def tokens():
    """New tokens while the user is away; what the IdP says of them, before they are given back and after."""
    if "claims" not in session:
        return redirect("/login")
    user, address = session["claims"]["id_token"]["sub"], idp.load_server_metadata()
    client = OAuth2Session(idp.client_id, idp.client_secret)
    try:
        token = client.refresh_token(address["token_endpoint"], refresh_tokens[user])
    except OAuthError as error:
        return f"The tokens cannot be renewed: {error}", 400, {"Content-Type": "text/plain"}
    # It works once. The new one is kept before anything else can fail.
    refresh_tokens[user] = token["refresh_token"]
    claims = idp.parse_id_token(token, nonce=None)

    def introspected():
        return client.introspect_token(address["introspection_endpoint"], token["access_token"]).json()

    before = introspected()
    client.revoke_token(address["revocation_endpoint"], token["refresh_token"]).raise_for_status()
    return jsonify({"claims": claims, "before": before, "after": introspected()})


@app.get("/logout")
def logout():
    end = idp.load_server_metadata()["end_session_endpoint"]
    hint = session.get("id_token", "")
    session.clear()
    return redirect(f"{end}?" + urlencode({"id_token_hint": hint, "post_logout_redirect_uri": f"{ORIGIN}/"}))


if __name__ == "__main__":
    app.run("127.0.0.1", int(ORIGIN.rsplit(":", 1)[1]))
