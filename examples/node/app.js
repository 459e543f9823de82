// A web application whose users log in at the IdP: Node.js with Express and openid-client.
//
//   npm ci
//   node app.js                        then open http://127.0.0.1:8002
//   CLIENT_ID= node app.js             the same, as a client that registers itself

import { randomBytes } from 'node:crypto'
import express from 'express'
import session from 'express-session'
import * as oidc from 'openid-client'

const {
  ISSUER = 'http://127.0.0.1:5001',
  ORIGIN = 'http://127.0.0.1:8002',
  CLIENT_ID = 'node',
  CLIENT_SECRET = 'node-secret',
} = process.env
const redirect_uri = `${ORIGIN}/callback`

// Without ClientSecretBasic the library would send the secret in the form; a public client has none. An http issuer is for
// this computer only, and without TLS the ID token's signature must be checked.
const proof = CLIENT_SECRET ? oidc.ClientSecretBasic(CLIENT_SECRET) : oidc.None()
const options = { execute: [oidc.allowInsecureRequests, oidc.enableNonRepudiationChecks] }
const registered = {
  client_name: 'Node',
  redirect_uris: [redirect_uri],
  post_logout_redirect_uris: [`${ORIGIN}/`],
  grant_types: ['authorization_code', 'refresh_token'],
  token_endpoint_auth_method: 'client_secret_post', // which is what the library uses then
}
const idp = CLIENT_ID
  ? await oidc.discovery(new URL(ISSUER), CLIENT_ID, undefined, proof, options)
  : await oidc.dynamicClientRegistration(new URL(ISSUER), registered, undefined, options)

// What signs a request. The IdP looks for its public half at /jwks, as examples/idp.toml says.
const ES256 = { name: 'ECDSA', namedCurve: 'P-256' }
const { privateKey, publicKey } = await crypto.subtle.generateKey(ES256, false, ['sign', 'verify'])

// How a request travels: in plain parameters with the browser, signed (RFC 9101), left at the IdP in advance (RFC 9126),
// or both.
const signed = (asked) => oidc.buildAuthorizationUrlWithJAR(idp, asked, privateKey)
const ways = {
  plain: (asked) => oidc.buildAuthorizationUrl(idp, asked),
  signed,
  pushed: (asked) => oidc.buildAuthorizationUrlWithPAR(idp, asked),
  both: async (asked) => oidc.buildAuthorizationUrlWithPAR(idp, (await signed(asked)).searchParams),
}

const app = express()
// Cookies ignore ports: on 127.0.0.1 another application's "connect.sid" would overwrite ours.
const cookie = { name: 'node_example', secret: randomBytes(32).toString('hex') }
app.use(session({ ...cookie, resave: false, saveUninitialized: false }))

app.get('/', (req, res) => {
  if (!req.session.claims) return res.send('<h1>Signed out</h1><p><a href="/login">Log in</a>')
  res.json(req.session.claims)
})

app.get('/login', async (req, res) => {
  const [state, nonce, verifier] = [oidc.randomState(), oidc.randomNonce(), oidc.randomPKCECodeVerifier()]
  req.session.attempt = { expectedState: state, expectedNonce: nonce, pkceCodeVerifier: verifier }
  const challenge = { code_challenge: await oidc.calculatePKCECodeChallenge(verifier), code_challenge_method: 'S256' }
  const asked = { redirect_uri, scope: 'openid profile email offline_access', state, nonce, ...challenge }
  const way = ways[req.query.way] ?? ways.plain
  res.redirect((await way(asked)).href)
})

app.get('/jwks', async (req, res) => {
  res.json({ keys: [{ ...(await crypto.subtle.exportKey('jwk', publicKey)), alg: 'ES256', use: 'sig' }] })
})

app.get('/callback', async (req, res) => {
  const { attempt } = req.session
  if (!attempt) throw new Error('no login began in this browser')
  // Checks state, redeems the code with the verifier, checks the ID token: signature, iss, aud, exp, nonce.
  const tokens = await oidc.authorizationCodeGrant(idp, new URL(req.url, ORIGIN), attempt)
  const id_token = tokens.claims()
  const userinfo = await oidc.fetchUserInfo(idp, tokens.access_token, id_token.sub)
  // A new session id, so that nobody has set it before the login.
  await new Promise((done, failed) => req.session.regenerate((error) => (error ? failed(error) : done())))
  Object.assign(req.session, { claims: { id_token, userinfo }, hint: tokens.id_token, refresh: tokens.refresh_token })
  res.redirect('/')
})

// New tokens while the user is away; what the IdP says of them, before they are given back and after.
app.get('/tokens', async (req, res) => {
  const tokens = await oidc.refreshTokenGrant(idp, req.session.refresh)
  // It works once. The new one is kept before anything else can fail.
  req.session.refresh = tokens.refresh_token
  const before = await oidc.tokenIntrospection(idp, tokens.access_token)
  await oidc.tokenRevocation(idp, tokens.refresh_token)
  const after = await oidc.tokenIntrospection(idp, tokens.access_token)
  res.json({ claims: tokens.claims(), before, after })
})

app.get('/logout', (req, res) => {
  const asked = { id_token_hint: req.session.hint, post_logout_redirect_uri: `${ORIGIN}/` }
  req.session.destroy(() => res.redirect(oidc.buildEndSessionUrl(idp, asked).href))
})

app.use((error, req, res, next) => res.status(400).type('text').send(`The login failed: ${error.message}`))

app.listen(new URL(ORIGIN).port, '127.0.0.1')
