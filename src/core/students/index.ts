import { convNet } from './conv-net.ts';
import { mlp } from './mlp.ts';
import { mobilenet } from './mobilenet.ts';
import { resnet } from './resnet.ts';
import type { StudentArchitecture } from './student.ts';

/** Student architectures by name. */
export const students = {
  'conv-net': convNet,
  mlp,
  mobilenet,
  resnet,
} as const satisfies Record<string, StudentArchitecture>;
