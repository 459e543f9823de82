// A web application to which the result of a login is posted (response_mode=form_post), so that the code stands in no
// address: Node.js with Express and openid-client.
//
//   npm ci
//   node form_post.js                  then open http://127.0.0.1:8002

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

const idp = await oidc.discovery(new URL(ISSUER), CLIENT_ID, undefined, oidc.ClientSecretBasic(CLIENT_SECRET), {
  execute: [oidc.allowInsecureRequests, oidc.enableNonRepudiationChecks],
})

const app = express()
const cookie = { name: 'node_example', secret: randomBytes(32).toString('hex'), cookie: { sameSite: 'lax' } }
app.use(session({ ...cookie, resave: false, saveUninitialized: false }))

app.get('/', (req, res) => {
  if (!req.session.claims) return res.send('<h1>Signed out</h1><p><a href="/login">Log in</a>')
  res.json(req.session.claims)
})

app.get('/login', async (req, res) => {
  const [state, nonce, verifier] = [oidc.randomState(), oidc.randomNonce(), oidc.randomPKCECodeVerifier()]
  req.session.attempt = { expectedState: state, expectedNonce: nonce, pkceCodeVerifier: verifier }
  const challenge = { code_challenge: await oidc.calculatePKCECodeChallenge(verifier), code_challenge_method: 'S256' }
  const asked = { redirect_uri, scope: 'openid profile email', response_mode: 'form_post', state, nonce, ...challenge }
  res.redirect(oidc.buildAuthorizationUrl(idp, asked).href)
})

// A form of another site comes without the session's cookie, which is SameSite=Lax. It is kept for a minute, under a name
// that nobody guesses, and the browser is sent to that name: then the cookie comes along.
const posted = new Map()
app.post('/callback', express.text({ type: 'application/x-www-form-urlencoded', limit: '8kb' }), (req, res) => {
  const handle = randomBytes(32).toString('base64url')
  posted.set(handle, req.body)
  setTimeout(() => posted.delete(handle), 60_000).unref()
  res.redirect(303, `/callback/${handle}`)
})

app.get('/callback/:handle', async (req, res) => {
  const { attempt } = req.session
  const body = posted.get(req.params.handle)
  if (!attempt || !body) throw new Error('no login began in this browser')
  posted.delete(req.params.handle)
  const headers = { 'content-type': 'application/x-www-form-urlencoded' }
  // Checks state, redeems the code with the verifier, checks the ID token: signature, iss, aud, exp, nonce.
  const tokens = await oidc.authorizationCodeGrant(idp, new Request(redirect_uri, { method: 'POST', headers, body }), attempt)
  const id_token = tokens.claims()
  const userinfo = await oidc.fetchUserInfo(idp, tokens.access_token, id_token.sub)
  await new Promise((done, failed) => req.session.regenerate((error) => (error ? failed(error) : done())))
  Object.assign(req.session, { claims: { id_token, userinfo }, hint: tokens.id_token })
  res.redirect('/')
})

app.get('/logout', (req, res) => {
  const asked = { id_token_hint: req.session.hint, post_logout_redirect_uri: `${ORIGIN}/` }
  req.session.destroy(() => res.redirect(oidc.buildEndSessionUrl(idp, asked).href))
})

app.use((error, req, res, next) => res.status(400).type('text').send(`The login failed: ${error.message}`))

app.listen(new URL(ORIGIN).port, '127.0.0.1')
