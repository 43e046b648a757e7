// The section on points: frames of trainings, played

{
  const {targets, toys} = recorded.points;
  const SPAN = 65535, PACE = 700;  // what a point's coordinate goes up to; milliseconds a frame
  let toy, timer = 0;

  function open() {  // the trainings on these points
    const on = toys.filter(each => each.target === $('target').value);
    $('training').replaceChildren(...on.map(each => make('option', {value: each.name, text: each.title})));
    begin();
  }
  function begin() {
    toy = toys.find(each => each.name === $('training').value);
    const before = $('member').value;
    $('member').replaceChildren(...toy.members.map((_, k) => make('option', {value: k, text: `${k + 1} of ${toy.members.length}`})));
    if (+before < toy.members.length) $('member').value = before || 0;
    $('moment').max = toy.steps.length - 1; $('moment').value = 0;
    $('toysource').replaceChildren('Recorded in the training of ', make('code', {text: toy.model}), ` (SHA-256 ${toy.weights}), ${toy.members.length} networks at once from seed ${toy.seed}, of which each has its own weights and batches. Its settings are the entry `,
      make('code', {text: `toys.${toy.name}`}), ' of params.yaml.');
    look();
  }
  function frame() {
    const target = targets[toy.target], found = toy.members[$('member').value][$('moment').value];
    const flat = unpacked(found.points, Uint16Array), points = [];
    for (let i = 0; i < flat.length; i += 2) points.push([flat[i], flat[i + 1]].map(share => (2 * share / SPAN - 1) * target.extent));
    const levels = found.surface && unpacked(found.surface, Uint8Array), side = levels && Math.sqrt(levels.length);
    const surface = levels && Array.from({length: side}, (_, j) => levels.subarray(j * side, (j + 1) * side));
    const {modes, good_share} = found;
    return {...target, points, surface, modes, good_share, num_modes: target.centres.length, steps: toy.steps[$('moment').value], num_steps: toy.steps.at(-1)};
  }
  function look() {
    $('toystatus').textContent = plot($('plane'), frame());
    $('moment').setAttribute('aria-valuetext', `step ${toy.steps[$('moment').value]}`);
    $('back').disabled = +$('moment').value === 0; $('step').disabled = $('moment').value === $('moment').max;
  }
  function pause() { clearInterval(timer); timer = 0; $('playing').textContent = 'Play'; $('playing').setAttribute('aria-pressed', false); }
  function move(by) { $('moment').value = +$('moment').value + by; look(); }
  $('playing').onclick = () => {
    if (timer) return pause();
    if ($('moment').value === $('moment').max) move(-toy.steps.length);
    $('playing').textContent = 'Pause'; $('playing').setAttribute('aria-pressed', true);
    timer = setInterval(() => { move(1); if ($('step').disabled) pause(); }, PACE);
  };
  $('step').onclick = () => { pause(); move(1); };
  $('back').onclick = () => { pause(); move(-1); };
  $('moment').oninput = () => { pause(); look(); };
  $('target').onchange = () => { pause(); open(); };
  $('training').onchange = () => { pause(); begin(); };
  $('member').onchange = () => { pause(); look(); };
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', look);

  for (const name of Object.keys(targets)) $('target').append(make('option', {value: name, text: name}));
  if (targets.ring) $('target').value = 'ring';
  open();
}
