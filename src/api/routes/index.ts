import type { Api } from '../api.ts';
import type { ApiContext } from '../context.ts';
import { datasetRoutes } from './datasets.ts';
import { errorRoutes } from './errors.ts';
import { healthRoutes } from './health.ts';
import { metricsRoutes } from './metrics.ts';
import { modelRoutes } from './models.ts';
import { uploadRoutes } from './uploads.ts';

/** Routes by noun. */
export const routes: Readonly<Record<string, (app: Api, context: ApiContext) => void | Promise<void>>> = {
  datasets: datasetRoutes,
  errors: errorRoutes,
  health: healthRoutes,
  metrics: metricsRoutes,
  models: modelRoutes,
  uploads: uploadRoutes,
};
