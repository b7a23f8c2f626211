import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { cp, mkdir, symlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { readConfig, Settings } from '../../src/config.ts';
import { temporaryFolder } from '../support/bare-redis.ts';
import { noRedis } from '../support/redis.ts';

/** Dockerfile, .dockerignore and docker-compose.yml, as far as they can be tried without an engine. */

const root = fileURLToPath(new URL('../..', import.meta.url));
const text = (name: string): string => readFileSync(join(root, name), 'utf8');

const compose = [['docker', 'compose'], ['docker-compose']].find(
  ([program, ...args]) => spawnSync(program!, [...args, 'version']).status === 0,
);

test('what goes into an image is enough to serve, and its health check tells', {
  skip: noRedis ?? false,
}, async (t) => {
  const app = await temporaryFolder();
  const copied = text('.dockerignore').match(/(?<=^!).+$/gm)!;
  for (const path of copied) {
    await mkdir(dirname(join(app, path)), { recursive: true });
    await cp(join(root, path), join(app, path), { recursive: true });
  }
  await symlink(join(root, 'node_modules'), join(app, 'node_modules'));
  const { PATH } = process.env;
  const env = { PATH, RETORT_DATA: join(app, 'data'), RETORT_PORT: '0', RETORT_LOG_LEVEL: 'silent' };
  const server = spawn(process.execPath, ['bin/retort.js', 'serve'], {
    cwd: app,
    env,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  t.after(() => server.kill('SIGKILL'));
  const ended = once(server, 'exit');
  const [line] = (await once(createInterface(server.stdout), 'line')) as [string];
  const { port } = new URL(line.replace('listening on ', ''));

  const check = /HEALTHCHECK[\s\S]*?CMD (\[.*\])/.exec(text('Dockerfile'))![1]!;
  const [, ...args] = JSON.parse(check) as string[];
  const health = (at: string) => spawnSync(process.execPath, args, { env: { PATH, RETORT_PORT: at } }).status;
  assert.equal(health(port), 0);
  server.kill(/STOPSIGNAL (\w+)/.exec(text('Dockerfile'))![1] as NodeJS.Signals);
  assert.deepEqual(await ended, [0, null]);
  assert.equal(health(port), 1);
});

test('the compose file is one that docker takes, with and without CUDA', {
  skip: compose ? false : 'neither `docker compose` nor docker-compose is installed',
}, () => {
  const services = (options: readonly string[]): string[] => {
    const [program, ...args] = compose!;
    const { status, stdout, stderr } = spawnSync(program!, [...args, ...options, 'config', '--services'], {
      cwd: root,
      encoding: 'utf8',
    });
    assert.equal(status, 0, stderr);
    return stdout.trim().split('\n').sort();
  };
  const plain = services([]);
  assert.ok(['api', 'redis', 'worker'].every((name) => plain.includes(name)));
  assert.deepEqual(services(['--profile', 'cuda']), ['api', 'redis', 'worker', 'worker-cuda']);
});

test('containers get settings that exist, and more time to stop than a job takes to save', () => {
  const file = text('docker-compose.yml');
  const known = new Set(Object.keys(Settings.properties));
  const named = [...file.matchAll(/^ +((?:RETORT|REDIS)_\w+): /gm)].map(([, name]) => name!);
  assert.ok(named.length > 8, named.join());
  assert.deepEqual(
    named.filter((name) => !known.has(name)),
    [],
  );
  const seconds = (pattern: RegExp): number => Number(pattern.exec(file)?.[1]);
  const drain = seconds(/RETORT_DRAIN_SECONDS:-(\d+)\}/);
  assert.equal(drain, readConfig({}).RETORT_DRAIN_SECONDS);
  assert.ok(seconds(/RETORT_STOP_GRACE:-(\d+)s\}/) >= drain + 15);
});

test('every target that compose builds is a stage of the Dockerfile', () => {
  const stages = new Set([...text('Dockerfile').matchAll(/^FROM .+ AS (\S+)$/gm)].map(([, name]) => name));
  const targets = [...text('docker-compose.yml').matchAll(/target: (\S+)/g)].map(([, name]) => name);
  assert.deepEqual(targets, ['api', 'worker', 'worker-cuda']);
  assert.deepEqual(
    targets.filter((name) => !stages.has(name)),
    [],
  );
});
