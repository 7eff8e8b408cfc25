export { adam, adamRows, sumOfSquares, sumOfSquaresRows } from './adam';
export { denseBackward, denseForward } from './dense';
export { clearRows, gatherRows, scatterRows, touchRows } from './embedding';
export { lstmBackward, lstmBackwardScratch, lstmForward, lstmForwardScratch } from './lstm';
export { multiply, multiplyScratch, packColumns, packRows } from './matrix';
export { probeOperations, probePeak } from './probe';
export { lastStep, maskSequence, maskValues, maxBackward, maxForward, meanBackward, meanForward, pack, unpack } from './sequence';
export { clear, heapBase, moveInto } from './vector';
