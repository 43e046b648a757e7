// The section on penguins: Bayes by summing over a grid, and the networks, all of which are small enough to be run here

const silu = x => x / (1 + Math.exp(-x));
function mlp(shapes, values) {  // rows of inputs -> a number each; `shapes` are those of weights (outputs, inputs) and biases in turn
  const layers = [];
  for (let i = 0, at = 0; i < shapes.length; i += 2) {
    const [outputs, inputs] = shapes[i], weight = values.subarray(at, at += outputs * inputs);
    layers.push({outputs, inputs, weight, bias: values.subarray(at, at += outputs)});
  }
  return row => {
    let h = row;
    layers.forEach(({outputs, inputs, weight, bias}, k) => {
      const next = new Float64Array(outputs);
      for (let o = 0; o < outputs; o++) {
        let sum = bias[o];
        for (let i = 0; i < inputs; i++) sum += weight[o * inputs + i] * h[i];
        next[o] = k < layers.length - 1 ? silu(sum) : sum;
      }
      h = next;
    });
    return h[0];
  };
}

const penguins = (() => {
  const found = recorded.penguins, {lengths, noise, bandwidth, mean, sd, num_draws} = found, TIMES = 16, SPACING = 0.1;
  const latents = unpacked(found.latents, Float32Array), width = latents.length / num_draws;
  const networks = Object.fromEntries(Object.entries(found.networks).map(([name, {shapes, values}]) => [name, mlp(shapes, unpacked(values, Float32Array))]));
  const samplers = Object.keys(networks).filter(name => name !== 'regression');
  const y = Float64Array.from({length: Math.round((lengths.at(-1) - lengths[0] + 20 * bandwidth) / SPACING) + 1}, (_, k) => lengths[0] - 10 * bandwidth + k * SPACING);
  const bell = (x, mean, sd) => Math.exp(-(((x - mean) / sd) ** 2) / 2) / (sd * Math.sqrt(2 * Math.PI));
  const prior = y.map(at => lengths.reduce((sum, length) => sum + bell(at, length, bandwidth), 0) / lengths.length);

  function posterior(x) {  // p(y | x) = p(x | y) p(y) / p(x)
    const likelihood = y.map(at => bell(x, at, noise)), joint = prior.map((p, k) => p * likelihood[k]);
    const evidence = joint.reduce((a, b) => a + b, 0) * SPACING;
    return {likelihood, density: joint.map(p => p / evidence)};
  }
  function moments(values, weights = values.map(() => 1)) {
    const total = weights.reduce((a, b) => a + b, 0), mean = values.reduce((sum, value, k) => sum + value * weights[k], 0) / total;
    return {mean, sd: Math.sqrt(Math.max(0, values.reduce((sum, value, k) => sum + weights[k] * (value - mean) ** 2, 0) / total))};
  }
  function denoised(x, t, c) {  // x-hat; one that predicts data is shown no noise at t = 0
    const shown = found.prediction === 'data' && t === 0 ? 0 : x;
    const row = [shown, ...Array.from({length: TIMES}, (_, k) => Math.cos(Math.PI * k * t)), c], said = networks.flow(row);
    return found.prediction === 'data' ? said : x + (1 - t) * said;
  }
  function draws(name, x, steps) {  // one for each row of the noise, in mm
    const c = (x - mean) / sd, size = found.networks[name].num_latents;
    return Float64Array.from({length: num_draws}, (_, n) => {
      const z = latents.subarray(n * width, n * width + size);
      if (name !== 'flow') return networks[name]([c, ...z]) * sd + mean;
      let at = z[0];
      for (let k = 0; k < steps; k++) at += (denoised(at, k / steps, c) - at) / (steps - k);
      return at * sd + mean;
    });
  }
  const regression = x => networks.regression([(x - mean) / sd]) * sd + mean;
  return {...found, y, prior, samplers, posterior, moments, draws, regression};
})();

{
  const SKY = 20, FLOOR = 268, LEFT = 10, ROW = 46;  // of the picture: densities above FLOOR, a row a sampler below
  const from = penguins.low - 8, to = penguins.high + 8, place = mm => LEFT + (mm - from) / (to - from) * (width - 2 * LEFT);
  let steps = penguins.steps.at(-1), width;  // of the picture, in units that are about a pixel of the screen's

  function fit() {
    width = Math.min(720, Math.max(320, $('density').clientWidth));
    $('density').setAttribute('viewBox', `0 0 ${width} ${FLOOR + 40 + ROW * penguins.samplers.length}`);
  }

  const element = (tag, given, text = '') => {
    const node = document.createElementNS('http://www.w3.org/2000/svg', tag);
    for (const [name, value] of Object.entries(given)) node.setAttribute(name, value);
    node.textContent = text;
    return node;
  };
  function curve(density, top, given) {
    const points = [];
    penguins.y.forEach((mm, k) => { if (mm >= from && mm <= to && k % 4 === 0) points.push(`${place(mm).toFixed(1)},${(FLOOR - density[k] / top * (FLOOR - SKY)).toFixed(1)}`); });
    return element('polyline', {points: given.fill === 'none' ? points.join(' ') : `${place(from)},${FLOOR} ${points.join(' ')} ${place(to)},${FLOOR}`, ...given});
  }
  const upright = (mm, y1, y2, given) => element('line', {x1: place(mm), x2: place(mm), y1, y2, ...given});
  function rug() {  // the measured lengths, equal ones on top of one another
    const seen = new Map();
    return penguins.lengths.map(mm => {
      const number = seen.get(mm) || 0;
      seen.set(mm, number + 1);
      return element('circle', {cx: place(mm), cy: FLOOR - 3 - 5 * number, r: 2, fill: 'var(--soft)', opacity: .5});
    });
  }
  function axis() {
    const ticks = [];
    for (let mm = Math.ceil(from / 10) * 10; mm <= to; mm += 10) ticks.push(upright(mm, FLOOR, FLOOR + 5, {stroke: 'var(--soft)'}), element('text', {x: place(mm), y: FLOOR + 20, 'text-anchor': mm + 10 > to ? 'end' : 'middle'}, `${mm}${mm + 10 > to ? ' mm' : ''}`));
    return [element('line', {x1: LEFT, x2: width - LEFT, y1: FLOOR, y2: FLOOR, stroke: 'var(--soft)'}), ...ticks];
  }
  function strip(name, drawn, row) {
    const top = FLOOR + 34 + ROW * row, colour = `var(--${name})`;
    return [element('text', {x: LEFT, y: top + 11, class: 'own'}, `${TITLES[name]}${name === 'flow' ? `, ${stepsText(steps)}` : ''}`),
      ...Array.from(drawn, mm => upright(Math.min(to, Math.max(from, mm)), top + 17, top + 37, {stroke: colour, opacity: .35}))];
  }
  function picture(x, answer, drawn) {
    const {likelihood, density} = answer, top = Math.max(...density, ...penguins.prior, ...likelihood) * 1.05;
    $('density').replaceChildren(...rug(),
      curve(density, top, {fill: 'var(--exact)', 'fill-opacity': .25, stroke: 'var(--exact)', 'stroke-width': 2}),
      curve(penguins.prior, top, {fill: 'none', stroke: 'var(--soft)', 'stroke-width': 1.5}),
      curve(likelihood, top, {fill: 'none', stroke: 'var(--ink)', 'stroke-width': 1.5, 'stroke-dasharray': '5 4'}),
      upright(x, SKY, FLOOR, {stroke: 'var(--ink)', 'stroke-width': 1.5}), element('text', {x: place(x) + 5, y: SKY + 10, class: 'own'}, 'camera'),
      upright(penguins.regression(x), SKY + 16, FLOOR, {stroke: 'var(--regression)', 'stroke-width': 2.5}),
      ...axis(), ...penguins.samplers.flatMap((name, row) => strip(name, drawn[name], row)));
  }
  function answer() {
    const x = +$('measured').value, exact = penguins.posterior(x), drawn = {};
    const rows = [['exact', 'Exact posterior', penguins.moments(penguins.y, exact.density)], ['regression', 'Regression, one answer', {mean: penguins.regression(x)}]];
    for (const name of penguins.samplers) {
      drawn[name] = penguins.draws(name, x, steps);
      rows.push([name, TITLES[name], penguins.moments(drawn[name])]);
    }
    picture(x, exact, drawn);
    $('measuredlabel').textContent = `The camera says ${x.toFixed(1)} mm`;
    $('measured').setAttribute('aria-valuetext', `${x.toFixed(1)} millimetres`);
    $('numbers').replaceChildren(...rows.map(([name, title, {mean, sd}]) => make('tr', {}, make('th', {scope: 'row'}, make('span', {className: 'swatch', style: `background: var(--${name})`}), title),
      make('td', {text: mean.toFixed(2)}), make('td', {text: sd === undefined ? '' : sd.toFixed(2)}))));
    $('density').setAttribute('aria-label', `Densities of the true length where the camera says ${x.toFixed(1)} mm: prior (grey), likelihood (dashed), posterior (green area), regression's answer (red line); below, ${penguins.num_draws} draws of each sampler. ${rows.map(([, title, {mean, sd}]) => `${title}: ${mean.toFixed(1)}${sd === undefined ? '' : `, standard deviation ${sd.toFixed(1)}`}`).join('; ')}.`);
  }
  const drag = event => {
    if (event.type === 'pointermove' && !event.buttons) return;
    const box = $('density').getBoundingClientRect(), at = (event.clientX - box.left) / box.width * width;
    $('measured').value = from + (at - LEFT) / (width - 2 * LEFT) * (to - from);
    answer();
  };
  $('density').onpointerdown = event => { $('density').setPointerCapture(event.pointerId); drag(event); };
  $('density').onpointermove = drag;
  Object.assign($('measured'), {min: penguins.low, max: penguins.high, value: penguins.shown_x, oninput: answer});
  if (penguins.samplers.includes('flow')) $('solver').append(dial('penguindial', penguins.steps, steps, chosen => { steps = chosen; answer(); }, 'Flow: '));
  $('penguinsource').textContent = `${penguins.lengths.length} Adelie penguins of the Palmer table (dots), smoothed by normals of ${penguins.bandwidth} mm: the prior (grey). The camera errs by ${penguins.noise} mm (dashed: the likelihood). The networks are those that the stage theory trained, from seed ${penguins.seed}; the draws are of ${penguins.num_draws} rows of noise, the same wherever the camera points. Green: the exact posterior; red: regression's one answer.`;
  addEventListener('resize', () => { fit(); answer(); });
  fit(); answer();
}
