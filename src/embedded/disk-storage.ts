// What only a broker with its data on the disk needs, in one place that is loaded when there is one.
export { makeRealFiles } from '../base/real/files.ts';
export { makeRealProcessFacts } from '../base/real/process-facts.ts';
