// Asks the server at argv[2] (token argv[3]) through OpenFeature's own JavaScript clients; prints what they answered.
const server = require('@openfeature/server-sdk');
const web = require('@openfeature/web-sdk');
const { OFREPProvider } = require('@openfeature/ofrep-provider');
const { OFREPWebProvider } = require('@openfeature/ofrep-web-provider');

const baseUrl = process.argv[2];
const headers = [['Authorization', `Bearer ${process.argv[3]}`]];
const FLAG = 'USE_UNIFIED_AUDITS_TABLE';
const context = (key, tenant) => ({ targetingKey: key, tenant });

async function viaServer() {
  await server.OpenFeature.setProviderAndWait(new OFREPProvider({ baseUrl, headers }));
  const client = server.OpenFeature.getClient();
  const many = [];
  for (let n = 0; n < 200; n += 1) many.push(await client.getBooleanValue(FLAG, false, context(String(n), 'other')));
  return {
    pilot: await client.getBooleanDetails(FLAG, false, context('k', 'acme')),
    stage: await client.getStringDetails(`${FLAG}.stage`, '', context('k', 'acme')),
    rollout: await client.getNumberDetails(`${FLAG}.rollout`, 0, context('k', 'acme')),
    unknown: await client.getBooleanDetails('USE_NOTHING', true, context('k', 'acme')),
    wrongType: await client.getStringDetails(FLAG, 'default', context('k', 'acme')),
    many,
  };
}

async function viaWeb() {
  await web.OpenFeature.setContext(context('k', 'acme'));
  const provider = new OFREPWebProvider({ baseUrl, headers, pollInterval: 200, cacheMode: 'disabled' });
  await web.OpenFeature.setProviderAndWait(provider);
  const client = web.OpenFeature.getClient();
  const changed = new Promise((resolve) =>
    client.addHandler(web.ProviderEvents.ConfigurationChanged, (details) => resolve(details.flagsChanged)),
  );
  const before = client.getBooleanDetails(FLAG, false);
  process.stdout.write('ready\n');
  const flagsChanged = await changed;
  return { before, after: client.getBooleanDetails(FLAG, true), unknown: client.getBooleanDetails('USE_NOTHING', true), flagsChanged };
}

(async () => {
  const answers = { server: await viaServer() };
  answers.web = await viaWeb();
  process.stdout.write(`${JSON.stringify(answers)}\n`);
  process.exit(0);
})().catch((error) => {
  process.stderr.write(`${error.stack}\n`);
  process.exit(1);
});
