import type { Api } from '../api.ts';
import type { ApiContext } from '../context.ts';
import { artifactRoutes } from './artifacts.ts';
import { datasetRoutes } from './datasets.ts';
import { distillationRoutes } from './distillations.ts';
import { errorRoutes } from './errors.ts';
import { eventRoutes } from './events.ts';
import { healthRoutes } from './health.ts';
import { metricsRoutes } from './metrics.ts';
import { modelRoutes } from './models.ts';
import { uploadRoutes } from './uploads.ts';
import { validateRoutes } from './validate.ts';
import { webhookRoutes } from './webhooks.ts';

/** Routes by noun. */
export const routes: Readonly<Record<string, (app: Api, context: ApiContext) => void | Promise<void>>> = {
  artifacts: artifactRoutes,
  datasets: datasetRoutes,
  distillations: distillationRoutes,
  errors: errorRoutes,
  events: eventRoutes,
  health: healthRoutes,
  metrics: metricsRoutes,
  models: modelRoutes,
  uploads: uploadRoutes,
  validate: validateRoutes,
  webhooks: webhookRoutes,
};
