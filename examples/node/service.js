// A program that calls the IdP's API for itself, where no user has a part: Node.js with openid-client.
//
//   npm ci
//   node service.js

import * as oidc from 'openid-client'

const { ISSUER = 'http://127.0.0.1:5001', CLIENT_ID = 'service', CLIENT_SECRET = 'service-secret' } = process.env

const proof = oidc.ClientSecretBasic(CLIENT_SECRET)
const idp = await oidc.discovery(new URL(ISSUER), CLIENT_ID, undefined, proof, { execute: [oidc.allowInsecureRequests] })

// No refresh token comes with it: the program can ask again.
const tokens = await oidc.clientCredentialsGrant(idp, { scope: 'api.access' })
const answer = await oidc.fetchProtectedResource(idp, tokens.access_token, new URL('/api/me', ISSUER), 'GET')
console.log(await answer.text())
