// Somebody else's provider, for our RP to log in at: Node.js with oidc-provider, and a client for each way to authenticate.
//
//   npm ci
//   node provider.js                   then: cargo run --bin rp -- --issuer http://127.0.0.1:8005 --client-id …

import Provider from 'oidc-provider'

const { ISSUER = 'http://127.0.0.1:8005', RP = 'http://127.0.0.1:5002' } = process.env

const client = (id, more) => ({
  client_id: id,
  token_endpoint_auth_method: id,
  redirect_uris: [`${RP}/auth`],
  post_logout_redirect_uris: [`${RP}/logout/done`],
  grant_types: ['authorization_code', 'refresh_token'],
  ...more,
})
const client_secret = 'a-secret-of-32-bytes-or-more-which-everybody-knows'

const provider = new Provider(ISSUER, {
  clients: [
    client('client_secret_basic', { client_secret }),
    client('client_secret_post', { client_secret }),
    client('client_secret_jwt', { client_secret }),
    client('private_key_jwt', { jwks_uri: `${RP}/jwks`, token_endpoint_auth_signing_alg: 'ES256' }),
    client('none'),
  ],
  clientAuthMethods: ['client_secret_basic', 'client_secret_post', 'client_secret_jwt', 'private_key_jwt', 'none'],
  claims: { openid: ['sub'], profile: ['name'], email: ['email'] },
  findAccount: (_, sub) => ({ accountId: sub, claims: () => ({ sub, name: `User ${sub}`, email: `${sub}@other.example` }) }),
  // The keys of private_key_jwt are on this computer, where the library would fetch nothing from.
  fetch: (address, { dispatcher, ...options }) => fetch(address, options),
  features: { devInteractions: { enabled: true }, requestObjects: { enabled: true } },
})
provider.listen(Number(new URL(ISSUER).port), '127.0.0.1')
