// Finds redis-server, or installs it where that takes no question: Debian and Ubuntu as root or with a sudo that asks
// nothing, macOS with Homebrew. Elsewhere says what to do, and goes on: only the service needs it.
import { spawnSync } from 'node:child_process';
import { accessSync, constants, existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { register } from 'tsx/esm/api';

const PROGRAMS = ['redis-server', 'valkey-server'];

// Packages of Debian start their service when they are installed, and at every boot. Ours is started by ourselves, in
// its own folder; one that nobody asked for must not take port 6379. policy-rc.d is Debian's way to say so.
const APT = `
set -e
export DEBIAN_FRONTEND=noninteractive
policy=/usr/sbin/policy-rc.d
if [ ! -e "$policy" ]; then
  trap 'rm -f "$policy"' EXIT
  trap 'exit 1' HUP INT TERM
  printf '#!/bin/sh\\nexit 101\\n' >"$policy"
  chmod 755 "$policy"
fi
install() { apt-get install -y --no-install-recommends redis-server; }
install || { apt-get update && install; }
update-rc.d redis-server disable || true
`;

/** Whether a Redis can be had afterwards. */
export async function setupRedis() {
  if (process.env.REDIS_URL || present()) return true;
  const way = installer();
  if (way) {
    const [program, ...args] = way;
    console.log(`Installing redis-server (${args[0] === '-n' ? 'sudo ' : ''}${name(way)}) ...`);
    const { status, stdout, stderr } = spawnSync(program, args, { encoding: 'utf8' });
    if (status === 0 && present()) return true;
    console.error(`${stdout}${stderr}`.trim().split('\n').slice(-5).join('\n'));
  }
  await explain();
  return false;
}

function present() {
  return PROGRAMS.some(onPath);
}

/** The command that installs it without a question, if there is one. */
function installer() {
  if (process.platform === 'darwin') return onPath('brew') ? ['brew', 'install', 'redis'] : undefined;
  if (!existsSync('/etc/debian_version') || !onPath('apt-get')) return undefined;
  if (process.getuid() === 0) return ['sh', '-c', APT];
  const asks = !onPath('sudo') || spawnSync('sudo', ['-n', 'true']).status !== 0;
  return asks ? undefined : ['sudo', '-n', 'sh', '-c', APT];
}

function name(way) {
  return way[0] === 'brew' ? way.join(' ') : 'apt-get install redis-server';
}

/** The service says the same when it is started. */
async function explain() {
  const unregister = register();
  try {
    const { findRedis } = await import('../src/adapters/queue/find-redis.ts');
    await findRedis();
  } catch (error) {
    console.error(`\n${error.message}. ${error.hint ?? ''}`);
    console.error(
      'Without it the service and the demo do not run, and their tests are skipped. All else works.\n',
    );
  } finally {
    await unregister();
  }
}

function onPath(program) {
  return (process.env.PATH ?? '').split(delimiter).some((folder) => {
    try {
      accessSync(join(folder, program), constants.X_OK);
      return folder !== '';
    } catch {
      return false;
    }
  });
}
