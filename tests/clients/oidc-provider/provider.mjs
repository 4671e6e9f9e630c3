// A provider of OpenID Connect with one client and new keys at each start. Whoever comes is signed in at once as the user
// that `PROVIDER_USER` names: what is tested is how the daemon takes it, not how the provider knows its users.

import { generateKeyPairSync, randomUUID } from "node:crypto";
import Provider from "oidc-provider";

const { PROVIDER_URL, PROVIDER_USER, REDIRECT, SECRET, ALGORITHM = "RS256" } = process.env;
const kinds = { RS256: ["rsa", { modulusLength: 2048 }], ES256: ["ec", { namedCurve: "P-256" }] };
const { privateKey } = generateKeyPairSync(...kinds[ALGORITHM]);
const key = { ...privateKey.export({ format: "jwk" }), kid: randomUUID(), use: "sig", alg: ALGORITHM };

const provider = new Provider(PROVIDER_URL, {
  clients: [{
    client_id: "stepwise",
    client_secret: SECRET,
    redirect_uris: [REDIRECT],
    response_types: ["code"],
    grant_types: ["authorization_code"],
    id_token_signed_response_alg: ALGORITHM,
  }],
  jwks: { keys: [key] },
  cookies: { keys: [randomUUID()] },
  pkce: { required: () => true },
  claims: { openid: ["sub"], profile: ["preferred_username"], email: ["email", "email_verified"] },
  features: { devInteractions: { enabled: false } },
  interactions: { url: (_, interaction) => `/interaction/${interaction.uid}` },
  findAccount: (_, id) => ({
    accountId: id,
    claims: () => ({ sub: id, preferred_username: id, email: `${id}@example.com`, email_verified: false }),
  }),
  async loadExistingGrant(ctx) {
    const grant = new ctx.oidc.provider.Grant({ clientId: ctx.oidc.client.clientId, accountId: ctx.oidc.session.accountId });
    grant.addOIDCScope("openid profile email");
    await grant.save();
    return grant;
  },
});

provider.use(async (ctx, next) => {
  if (!ctx.path.startsWith("/interaction/")) return next();
  await provider.interactionFinished(ctx.req, ctx.res, { login: { accountId: PROVIDER_USER } });
  ctx.respond = false;
});

provider.listen(new URL(PROVIDER_URL).port, "127.0.0.1");
