// A program that gets a token for itself, once for each way in which it can prove who it is: Node.js with openid-client.
//
//   npm ci
//   node authenticate.js

import { createServer } from 'node:http'
import * as oidc from 'openid-client'

const { ISSUER = 'http://127.0.0.1:5001', ORIGIN = 'http://127.0.0.1:8004' } = process.env

// A key that only this program has. The IdP looks for its public half at the jwks_uri of the registration.
const { privateKey, publicKey } = await crypto.subtle.generateKey({ name: 'ECDSA', namedCurve: 'P-256' }, true, ['sign', 'verify'])
const kid = crypto.randomUUID()
const jwks = { keys: [{ ...(await crypto.subtle.exportKey('jwk', publicKey)), kid, use: 'sig', alg: 'ES256' }] }
const server = createServer((req, res) => res.setHeader('content-type', 'application/json').end(JSON.stringify(jwks)))
await new Promise((listens) => server.listen(new URL(ORIGIN).port, '127.0.0.1', listens))

const ways = {
  'service': oidc.ClientSecretBasic('service-secret'),
  'service-post': oidc.ClientSecretPost('service-post-secret'),
  'service-secret-jwt': oidc.ClientSecretJwt('service-secret-jwt-of-32-bytes-or-more'),
  'service-private-key': oidc.PrivateKeyJwt({ key: privateKey, kid }),
}
for (const [client, proof] of Object.entries(ways)) {
  const idp = await oidc.discovery(new URL(ISSUER), client, undefined, proof, { execute: [oidc.allowInsecureRequests] })
  const tokens = await oidc.clientCredentialsGrant(idp, { scope: 'api.access' })
  const told = await oidc.tokenIntrospection(idp, tokens.access_token)
  await oidc.tokenRevocation(idp, tokens.access_token)
  console.log(`${told.client_id} ${told.active}`)
}
server.close()
