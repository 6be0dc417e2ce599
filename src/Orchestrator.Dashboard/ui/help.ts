import { h } from './dom.js';

/** The overlay that names the keys. */
const keys: [keys: string[], what: string][] = [
  [['g', 'o'], 'Overview'],
  [['g', 's'], 'Task stream'],
  [['g', 't'], 'Tasks'],
  [['g', 'q'], 'Queues & pipes'],
  [['g', 'w'], 'State & waits'],
  [['/'], 'Search'],
  [['space'], 'Pause and go on'],
  [['w'], 'Task stream: show less time'],
  [['s'], 'Task stream: show more time'],
  [['a'], 'Task stream: earlier'],
  [['d'], 'Task stream: later'],
  [['←', '→'], 'On the strip of time: look back'],
  [['Esc'], 'Back to now'],
  [['?'], 'This list'],
];

export function helpDialog(): HTMLDialogElement {
  const dialog = h(
    'dialog',
    { class: 'panel', 'aria-labelledby': 'keys' },
    h('h2', { id: 'keys' }, 'Keys'),
    h(
      'dl',
      { class: 'keylist' },
      keys.map(([names, what]) => [
        h(
          'dt',
          null,
          names.map(name => h('kbd', null, name)),
        ),
        h('dd', null, what),
      ]),
    ),
    h('form', { method: 'dialog' }, h('button', { class: 'btn', type: 'submit' }, 'Close')),
  );
  return dialog;
}

/** Asks before something is done that cannot be undone. */
export function confirmed(question: string, action: string): Promise<boolean> {
  const dialog = h(
    'dialog',
    { class: 'panel', role: 'alertdialog' },
    h('p', null, question),
    h(
      'form',
      { method: 'dialog', class: 'tools' },
      h('button', { class: 'btn', value: '' }, 'Back'),
      h('button', { class: 'btn danger', value: 'yes', 'data-test': 'confirm' }, action),
    ),
  );
  document.body.append(dialog);
  dialog.showModal();
  return new Promise(resolve =>
    dialog.addEventListener('close', () => {
      dialog.remove();
      resolve(dialog.returnValue === 'yes');
    }),
  );
}
