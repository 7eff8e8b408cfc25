// Property tests draw the same examples in every run, so that what lands does not hang on luck. To look for more:
// LABEL_LENS_SEED=random (or a number) npm run test:unit. fast-check prints the seed of a failure.
const fc = require('fast-check');

const wanted = process.env.LABEL_LENS_SEED ?? '20261124';
if (wanted !== 'random') fc.configureGlobal({ ...fc.readConfigureGlobal(), seed: Number(wanted) });
