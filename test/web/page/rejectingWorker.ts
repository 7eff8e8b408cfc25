// A worker that ends as badly as it can unnoticed: with a promise that nobody looks at.
import { ownerPort } from '../../../src/platform/web/workers';

void ownerPort().then(({ port }) => port.onMessage(() => void Promise.reject(new Error('unheard'))));
