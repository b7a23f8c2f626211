import type { CliCommand } from '../command.ts';
import { distill } from './distill.ts';
import { inspect } from './inspect.ts';
import { jobs } from './jobs.ts';
import { keys } from './keys.ts';
import { registries } from './registries.ts';
import { serve } from './serve.ts';
import { worker } from './worker.ts';

export const commands: readonly CliCommand[] = [distill, jobs, serve, worker, keys, inspect, registries];
