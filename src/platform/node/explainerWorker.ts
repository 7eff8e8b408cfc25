// Entry of dist/explainer.js.
import { runExplainerWorker } from '../../training/explainWorker';
import { ownerPort } from './workers';

runExplainerWorker(ownerPort(), { pause: () => new Promise((resolve) => void setImmediate(resolve)) });
