// Chance that nobody can guess, from the system, without loading node:crypto for it: that takes 6 ms, as long as a fifth of
// what a broker in a test may take to start, and all that a start needs is a few ids.

/** Most that is asked for is an id of 16 bytes; for much the time to load node:crypto is nothing. */
const MOST_BYTES_OF_FILE = 256;

export function randomBytes(count: number): Uint8Array {
  const fromKernel = count <= MOST_BYTES_OF_FILE && process.platform !== 'win32' ? readKernel(count) : undefined;
  return fromKernel ?? process.getBuiltinModule('node:crypto').randomBytes(count);
}

/** Undefined where a root folder of the process's own has no such device, or no descriptor is left. */
function readKernel(count: number): Uint8Array | undefined {
  const { closeSync, fstatSync, openSync, readSync } = process.getBuiltinModule('node:fs');
  let descriptor: number | undefined;
  try {
    descriptor = openSync('/dev/urandom', 'r');
    const bytes = new Uint8Array(count);
    // Anything but the device could be a file that says the same each time.
    return fstatSync(descriptor).isCharacterDevice() && readSync(descriptor, bytes) === count ? bytes : undefined;
  } catch {
    return undefined;
  } finally {
    if (descriptor !== undefined) closeSync(descriptor);
  }
}
