// The section on images: the replies as the server would give them, with the numbers of images in place of images

{
  const {tasks, images, seed, steps} = recorded.images;
  const COLUMNS = 8;  // of the grid
  let task, example, num = 16;

  const seen = answer => ({...answer, images: answer.images.map(k => images[k]), mean: images[answer.mean], deviation: images[answer.deviation]});
  const file = answer => answer.images.length > 1 ? i => `${answer.command}${i}` : () => answer.command;

  function open() {
    task = tasks.find(each => each.name === $('task').value);
    $('about').textContent = task.about.replace(/\.?$/, '.');
    const methods = Object.keys(task.models), given = task.examples.every(each => each.condition !== undefined);
    buildCards(methods, methods.includes('flow') ? dial('dial', steps, num, chosen => { num = chosen; turn(); }) : '');
    $('choices').className = given ? 'choices' : 'choices words';
    $('choices').replaceChildren(...task.examples.map((each, k) => {
      const button = given ? make('button', {className: 'tile', title: each.title}, make('img', {src: images[each.condition], alt: each.title})) : make('button', {text: each.title});
      button.onclick = () => ask(k);
      return button;
    }));
    $('source').replaceChildren(`Seed ${seed} of the noise; the models by the SHA-256 of their weights: `,
      ...methods.flatMap((method, i) => [i ? ', ' : '', make('code', {text: task.models[method].name}), ` (${task.models[method].weights})`]),
      '. Their settings are the entries of this name in params.yaml. Any image opens the command that makes it again.');
    ask(0);
  }
  function ask(k) {
    example = task.examples[k];
    pressed($('choices'), k);
    const image = example.condition !== undefined;
    $('given').hidden = !image; $('title').textContent = example.title;
    if (image) { $('condition').src = images[example.condition]; $('condition').alt = `The condition that is asked: ${example.title}`; }
    showTruth(example.truth.map(number => images[number]), example.known, task.kind === 'class');
    for (const answer of example.answers) show(answer);
    turn(); spread();
  }
  function show(answer) {
    const command = file(answer), size = answer.images.length;
    fill(seen(answer), i => [facts(answer.method, seed, i, size, num), command(i)]);
    if (answer.hits && size > 1) drawBars(answer.method, count(answer.hits), example.truth.map(number => images[number]));
  }
  function turn() { if (example.dial.length) show(example.dial[steps.indexOf(num)]); }
  function spread() {  // all rows of the dial at once
    $('along').hidden = !example.dial.length;
    if ($('along').hidden) return;
    const columns = [...Array(COLUMNS).keys()];
    $('grid').replaceChildren(
      make('thead', {}, make('tr', {}, make('th', {scope: 'col', text: 'steps'}), ...columns.map(i => make('th', {scope: 'col', text: i})))),
      make('tbody', {}, ...example.dial.map((answer, row) => make('tr', {}, make('th', {scope: 'row', text: steps[row]}),
        ...columns.map(i => make('td', {}, make('img', {src: images[answer.images[i]], alt: `${stepsText(steps[row])}, sample ${i}`})))))));
  }

  for (const each of tasks) $('task').append(make('option', {value: each.name, text: each.name}));
  $('task').value = (tasks.find(each => each.name === 'sketch') || tasks[0]).name;
  $('task').onchange = open;
  open();
}
