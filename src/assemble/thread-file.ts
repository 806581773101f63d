// Where the program of our threads lies: beside this file, as a source or as a bundle in the form of the bundle we are in.
const suffix = /\.[cm]?[jt]s$/.exec(new URL(import.meta.url).pathname)?.[0] ?? '.js';

export const threadFile = new URL(`./thread${suffix}`, import.meta.url);
