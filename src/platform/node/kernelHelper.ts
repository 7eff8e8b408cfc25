// Entry of dist/kernelHelper.js: a thread that computes beside the trainer's.
import { help } from '../../training/kernels/crew';
import { ownerPort } from './workers';

help(ownerPort());
