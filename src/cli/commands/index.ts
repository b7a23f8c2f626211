import type { CliCommand } from '../command.ts';
import { distill } from './distill.ts';
import { inspect } from './inspect.ts';
import { registries } from './registries.ts';

export const commands: readonly CliCommand[] = [distill, inspect, registries];
