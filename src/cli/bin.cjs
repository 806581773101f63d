#!/usr/bin/env node
// What npm puts on the path. Old Nodes must be able to parse this file, so it keeps to the JavaScript of 2009: it says
// in one line what is missing, or loads the program, whose compiled code Node keeps from one run to the next.
/* oxlint-disable eslint/no-var -- see above */
'use strict';

var neededMajor = 24;
var major = parseInt(process.versions.node, 10);

if (major < neededMajor) {
  process.stderr.write('bucketrider needs Node ' + neededMajor + ' or newer, this is ' + process.version + ' (' + process.execPath + ')\n');
  process.exitCode = 1;
} else {
  require('module').enableCompileCache();
  // Threads for the disk, said before the first of them is needed: a broker of a thousand partitions syncs eight files at a time.
  if (!process.env.UV_THREADPOOL_SIZE) process.env.UV_THREADPOOL_SIZE = '16';
  require('./cli/main.cjs');
}
