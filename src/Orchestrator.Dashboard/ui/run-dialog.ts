import { call, wordsOf } from './api.js';
import { h, setText } from './dom.js';
import { model } from './model.js';
import { payloadText } from './payload.js';
import { address, go } from './router.js';
import type { TaskOptions } from './types.js';

/** Submits a task. The coordinator gives out no inputs, so the input is asked for; the handler's example stands in the field. */
export function runDialog(handler: string, options: TaskOptions | undefined): void {
  const example = model.handlers.get(handler)?.exampleInput;
  const input = h('textarea', { id: 'run-input', rows: '6', spellcheck: 'false' });
  input.value = example ? payloadText(example) : '{}';
  const message = h('p', { class: 'badv', role: 'alert' });
  const run = h('button', { type: 'submit', class: 'btn on' }, 'Run');
  const dialog = h(
    'dialog',
    { class: 'panel', 'aria-label': 'Run a task' },
    h(
      'form',
      null,
      h('h2', null, `Run ${handler}`),
      h(
        'label',
        { for: 'run-input' },
        'Input, as JSON',
        h('em', null, 'The input of the earlier task is not kept for display; this is the handler’s example. Its options are taken over.'),
      ),
      input,
      message,
      h('div', { class: 'tools' }, run, h('button', { type: 'button', class: 'btn', onclick: () => dialog.close() }, 'Back')),
    ),
  );
  dialog.querySelector('form')!.addEventListener('submit', event => {
    event.preventDefault();
    void submit();
  });
  dialog.addEventListener('close', () => dialog.remove());
  document.body.append(dialog);
  dialog.showModal();

  async function submit(): Promise<void> {
    run.disabled = true;
    try {
      const json: unknown = JSON.parse(input.value);
      const { dependsOn: _, ...kept } = options ?? {};
      const { taskIds } = await call<{ taskIds?: string[] }>('TaskService/SubmitTasks', {
        tasks: [{ handler, input: { json }, options: kept, requestId: crypto.randomUUID() }],
      });
      dialog.close();
      if (taskIds?.[0]) go(address('tasks', { task: taskIds[0] }));
    } catch (error) {
      setText(message, error instanceof SyntaxError ? `This is not JSON. ${error.message}` : wordsOf(error));
    } finally {
      run.disabled = false;
    }
  }
}
