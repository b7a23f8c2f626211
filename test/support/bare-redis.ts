import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, type TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { newAddress } from '../../src/adapters/queue/redis-folder.ts';

const folders: string[] = [];

after(async () => {
  for (const folder of folders) await rm(folder, { recursive: true, force: true });
});

/** A folder that is removed when all tests of the file have ended, and what ran in it has been stopped. */
export async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'retort-redis-'));
  folders.push(folder);
  return folder;
}

/** A redis-server with settings of the test's choice, stopped after it. Returns its port when it listens. */
export async function bareRedis(t: TestContext, settings: readonly string[], at?: number): Promise<number> {
  const folder = await temporaryFolder();
  const port = at ?? (await newAddress()).port;
  const base = ['--port', `${port}`, '--bind', '127.0.0.1', '--save', '', '--dir', folder];
  const server = spawn('redis-server', [...base, ...settings], { stdio: 'ignore' });
  const ended = once(server, 'exit');
  t.after(async () => {
    server.kill('SIGKILL');
    await ended;
  });
  for (let tries = 0; !(await listens(port)); tries += 1) {
    if (tries === 200) throw new Error('the redis-server of the test did not start');
    await sleep(25);
  }
  return port;
}

function listens(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('error', () => resolve(false));
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
  });
}
