import { spawnSync } from 'node:child_process';

/** Runs a program quietly; `problem` is the line of its output that says most about why it failed. */
export function attempt(program, args, { cwd, env = {}, minutes }) {
  const { status, signal, error, stdout, stderr } = spawnSync(program, args, {
    cwd,
    encoding: 'utf8',
    env: { ...process.env, ...env },
    maxBuffer: 2 ** 28,
    shell: process.platform === 'win32',
    timeout: minutes * 60_000,
  });
  const name = `${program} ${args[0]}`;
  if (error?.code === 'ETIMEDOUT') return { problem: `${name} took longer than ${minutes} minutes` };
  if (error) return { problem: `${program} cannot be run (${error.code ?? error.message})` };
  if (status === 0) return { output: stdout };
  const said = telling(`${stderr}\n${stdout}`);
  return { problem: said || `${name} ended with ${signal ?? status}` };
}

function telling(output) {
  const lines = output
    .split('\n')
    .map((line) => line.trim())
    .filter(Boolean);
  // The first complaint is nearest to the cause; what a program says last is how it gave up.
  return (lines.find((line) => /\berror:|Error:/i.test(line)) ?? lines.at(-1))?.slice(0, 300);
}
