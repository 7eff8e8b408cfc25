// Entry of dist/learner.js.
import { runLearnerWorker } from '../../labeling/worker';
import { ownerPort } from './workers';

runLearnerWorker(ownerPort(), { pause: () => new Promise((resolve) => void setImmediate(resolve)) });
