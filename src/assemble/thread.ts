// What runs in a thread of the broker: the arithmetic of the log cleaner. An entry of its own in every bundle.
import { makeCompute } from '../base/real/compute.ts';
import { serveThread } from '../base/real/threads.ts';
import { CleanerWork, type CleanerAsk } from '../storage/log/cleaner-work.ts';

serveThread({
  cleaner: () => {
    const work = new CleanerWork(makeCompute());
    return async (question) => {
      const answer = await work.answer(question as CleanerAsk);
      return { answer, hand: answer !== undefined && 'bytes' in answer ? [answer.bytes.buffer as ArrayBuffer] : [] };
    };
  },
});
