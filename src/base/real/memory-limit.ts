// How much memory this process may use before the system ends it.

/** In bytes. Infinity where no container limits it; where there is none Node says nothing, or more than any machine has. */
export const memoryLimitBytes = (): number => process.constrainedMemory() || Infinity;
