/**
 * Who attends to which job, where jobs run only while somebody does.
 *
 * @module
 */

/** What attending does. */
export interface AttendancePorts {
  /** Milliseconds in which whoever left may come again before the job is put aside. */
  readonly patience: number;
  /** Somebody has come. */
  readonly come: (id: string) => Promise<void>;
  /** Nobody has come again in time. */
  readonly gone: (id: string) => void;
}

/** Those who attend to the jobs of one application. */
export interface Attendance {
  /** Whether anybody attends to a job. */
  has(id: string): boolean;
  /** Attends to a job until `leave` is called; `woken` resolves when the job runs, if it can. */
  attend(id: string): { readonly woken: Promise<void>; readonly leave: () => void };
}

/** Counts those who attend. */
export function createAttendance({ patience, come, gone }: AttendancePorts): Attendance {
  const numbers = new Map<string, number>();
  return {
    has: (id) => numbers.has(id),
    attend(id) {
      numbers.set(id, (numbers.get(id) ?? 0) + 1);
      let attends = true;
      const leave = () => {
        if (!attends) return;
        attends = false;
        const left = numbers.get(id)! - 1;
        if (left > 0) return void numbers.set(id, left);
        numbers.delete(id);
        setTimeout(() => {
          if (!numbers.has(id)) gone(id);
        }, patience);
      };
      return { woken: come(id), leave };
    },
  };
}
