// Threads of this process (node:worker_threads) that run a program of ours: started when there is work, asked one question
// at a time, ended when the work is done. The file they run is known to whoever puts the broker together.
import type { Thread, Threads } from '../env.ts';

interface Answered {
  readonly answer?: unknown;
  readonly failure?: { readonly name: string; readonly message: string; readonly errorName?: string };
}

/** What a program on a thread threw; `errorName` is that of a Kafka error. */
export class ThreadError extends Error {
  readonly errorName: string | undefined;

  constructor({ name, message, errorName }: NonNullable<Answered['failure']>) {
    super(message);
    this.name = name;
    this.errorName = errorName;
  }
}

/** Loaded at the first use: a start does not need it. */
const workerThreads = () => process.getBuiltinModule('node:worker_threads');

export function makeThreads(file: URL): Threads {
  return {
    start: (program) =>
      new Promise<Thread>((resolve, reject) => {
        // What the host was started with (a test runner, a loader) is not meant for us.
        const worker = new (workerThreads().Worker)(file, { workerData: { program }, execArgv: [], stdin: false });
        worker.unref();
        let waiting: { resolve: (answer: unknown) => void; reject: (error: Error) => void } | undefined;
        let ended: Error | undefined;
        const end = (error: Error): void => {
          ended ??= error;
          reject(ended);
          waiting?.reject(ended);
          waiting = undefined;
        };
        worker.on('error', (error) => end(error instanceof Error ? error : new Error(String(error))));
        worker.on('exit', (code) => end(new Error(`the thread ended with code ${code}`)));
        worker.once('message', () => {
          worker.on('message', ({ answer, failure }: Answered) => {
            const asked = waiting;
            waiting = undefined;
            if (failure === undefined) asked?.resolve(answer);
            else asked?.reject(new ThreadError(failure));
          });
          resolve({
            ask: (question, hand) =>
              new Promise((resolveAsked, rejectAsked) => {
                if (ended !== undefined) return rejectAsked(ended);
                waiting = { resolve: resolveAsked, reject: rejectAsked };
                worker.postMessage(question, [...hand]);
              }),
            stop: () => worker.terminate().then(() => undefined),
          });
        });
      }),
  };
}

/** The other side, in the thread: answers until the thread is ended. `hand` names what of an answer is handed over. */
export function serveThread(
  programs: Record<string, () => (question: unknown) => Promise<{ answer: unknown; hand: readonly ArrayBuffer[] }>>,
): void {
  const { parentPort, workerData } = workerThreads();
  const begin = programs[(workerData as { program: string }).program];
  if (parentPort === null || begin === undefined) throw new Error('there is no such program');
  const program = begin();
  const send = (message: unknown, hand: readonly ArrayBuffer[] = []): void => parentPort.postMessage(message, [...hand]);
  parentPort.on('message', (question: unknown) => {
    program(question).then(
      ({ answer, hand }) => send({ answer } satisfies Answered, hand),
      (thrown: unknown) => {
        const error = thrown instanceof Error ? thrown : new Error(String(thrown));
        const errorName = 'errorName' in error ? { errorName: String(error.errorName) } : {};
        send({ failure: { name: error.name, message: error.message, ...errorName } } satisfies Answered);
      },
    );
  });
  send('ready');
}
