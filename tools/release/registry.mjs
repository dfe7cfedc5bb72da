// An npm registry of our own, on this machine alone, that holds our packages and nothing else.
import { writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { SCOPE } from '../lib/repo.mjs';
import { must } from '../lib/run.mjs';

const FOLDER = fileURLToPath(new URL('registry/', import.meta.url));

/**
 * Everything outside of our scope is refused, so that npm fetches it from where the user's settings say.
 *
 * @param storage an empty folder
 * @returns `{ npmrc, stop }`: the lines of an .npmrc that lead our scope to the registry, and nothing else
 */
export async function startRegistry(storage) {
  await must(
    'npm',
    ['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'],
    FOLDER,
  );
  const { runServer } = createRequire(join(FOLDER, 'package.json'))('verdaccio');
  const server = await runServer({
    self_path: storage,
    storage: join(storage, 'storage'),
    web: { enable: false },
    auth: { htpasswd: { file: join(storage, 'htpasswd'), max_users: -1 } },
    uplinks: {},
    packages: { [`${SCOPE}*`]: { access: '$all', publish: '$all' } },
    log: { type: 'stdout', format: 'json', level: 'fatal' },
    flags: { webLogin: false },
  });
  await new Promise((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const host = `127.0.0.1:${server.address().port}`;
  const npmrc = join(storage, 'npmrc');
  // npm publishes nothing without a token; this registry asks for none
  writeFileSync(
    npmrc,
    `${SCOPE.slice(0, -1)}:registry=http://${host}/\n//${host}/:_authToken=none\n`,
  );
  const stop = () =>
    new Promise((resolve) => {
      server.close(resolve);
      server.closeAllConnections();
    });
  return { npmrc, stop };
}
