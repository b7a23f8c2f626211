import { Command, CommanderError } from 'commander';
import { RetortError } from '../errors.ts';
import type { CliIo } from './command.ts';
import { commands } from './commands/index.ts';
import { printError } from './print-error.ts';
import { version } from './version.ts';

/** Runs one command line; returns the exit code. */
export async function main(args: readonly string[]): Promise<number> {
  const stop = new AbortController();
  const onSignal = (): void => {
    // The second signal does not wait for a checkpoint.
    if (stop.signal.aborted) process.exit(130);
    // The terminal has written ^C. What stopping means is said by the command.
    process.stderr.write('\n');
    stop.abort();
  };
  process.on('SIGINT', onSignal).on('SIGTERM', onSignal);
  const io: CliIo = { out: process.stdout, err: process.stderr, signal: stop.signal };
  try {
    await program(io).parseAsync(args, { from: 'user' });
    return 0;
  } catch (error) {
    if (error instanceof CommanderError) {
      if (error.exitCode === 0) return 0;
      const message = error.code === 'commander.help' ? 'no command was given' : error.message;
      const hint = '`retort --help` lists the commands, `retort COMMAND --help` their options.';
      return printError(new RetortError('USAGE', message.replace(/^error: /, ''), { hint }), io);
    }
    return printError(error, io);
  } finally {
    process.off('SIGINT', onSignal).off('SIGTERM', onSignal);
  }
}

function program(io: CliIo): Command {
  const root = new Command('retort')
    .description('Distils a teacher (ONNX) and a dataset into a small student (ONNX).')
    .version(version)
    .exitOverride()
    .configureOutput({ writeOut: (text) => io.out.write(text), writeErr: () => {} });
  for (const command of commands) command.add(root, io);
  return root;
}
