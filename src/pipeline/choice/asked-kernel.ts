import type { KernelName } from '../../spec/resolved-spec.ts';
import type { StageContext } from '../stage.ts';

/** The kernel as the spec was written; a resolved spec names another once the choice is settled. */
export const askedKernel = ({ train }: StageContext['requested']): KernelName | 'auto' =>
  train?.kernel ?? 'auto';
