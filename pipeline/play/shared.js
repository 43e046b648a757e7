// What the playground and the recorded page share: cards of answers, the command behind an image, points in the plane.
'use strict';
const $ = id => document.getElementById(id);
const TITLES = {regression: 'Regression', engression: 'Engression', cgan: 'Conditional GAN', flow: 'Flow'};
const SAYS = {regression: 'one answer, whatever the seed', engression: 'noise in, trained by a score of several draws', cgan: 'trained against a discriminator', flow: 'noise to image in steps'};
const TONES = 6;  // answers of a known case

function make(tag, props = {}, ...children) {
  const {text, ...rest} = props, node = Object.assign(document.createElement(tag), rest);
  if (text !== undefined) node.textContent = text;
  node.append(...children);
  return node;
}
const pressed = (group, k) => [...group.children].forEach((each, i) => each.setAttribute('aria-pressed', i === k));
const dark = () => matchMedia('(prefers-color-scheme: dark)').matches;

// Answers

function buildCards(methods, turner) {  // a card a method, the truth beside the first; `turner` is the flow's dial
  const cards = methods.map(method => {
    const card = make('article', {className: 'card', id: `card-${method}`});
    card.append(make('div', {className: 'head'}, make('h3', {text: TITLES[method] || method}), make('small', {text: SAYS[method] || ''})));
    if (method === 'flow') card.append(turner);
    card.append(make('div', {className: 'body'}));
    return card;
  });
  const truth = make('article', {className: 'card', id: 'card-truth', hidden: true}, make('div', {className: 'head'}), make('div', {className: 'body'}));
  $('answers').replaceChildren(make('div', {className: 'pair'}, ...cards.slice(0, 1), truth), ...cards.slice(1));
}
const stepsText = num => `${num} step${num > 1 ? 's' : ''}${num === 1 ? ': the average' : ''}`;
function dial(id, choices, chosen, turned, whose = '') {  // a slider over numbers of steps
  const slider = make('input', {type: 'range', id, min: 0, max: choices.length - 1, value: choices.indexOf(chosen)});
  const label = make('label', {htmlFor: id}), tell = () => {
    label.textContent = whose + stepsText(choices[slider.value]);
    slider.setAttribute('aria-valuetext', label.textContent);
  };
  slider.oninput = () => { tell(); turned(choices[slider.value]); };
  tell();
  return make('div', {className: 'dial', style: 'max-width: 26rem'}, label, slider);
}
function showTruth(images, known, ofClass) {
  const card = $('card-truth'), note = known ? 'all six right answers, equally likely' : ofClass ? 'some test images of this class' : 'the one image it was made from';
  card.hidden = !images.length;
  card.querySelector('.head').replaceChildren(make('h3', {text: 'The truth'}), make('small', {text: note}));
  card.querySelector('.body').replaceChildren(...images.map((src, i) => make('figure', {}, make('img', {src, alt: known ? `Right answer ${i + 1} of ${images.length}` : `True image ${i + 1}`}))));
}
function fill(answer, told) {  // told(i): what is to be said of image i, and the command that makes it
  const card = $(`card-${answer.method}`), body = card.querySelector('.body'), slider = card.querySelector('.dial');
  if (slider) slider.hidden = !!answer.problem;
  if (answer.problem) {
    delete body.dataset.shape;
    const [before, command] = answer.problem.split(/: (?=dvc repro)/);
    body.replaceChildren(make('p', {}, before[0].toUpperCase() + before.slice(1) + (command ? ': ' : '.'), ...(command ? [make('code', {text: command})] : [])));
    return;
  }
  const name = TITLES[answer.method], single = answer.images.length === 1;
  if (body.dataset.shape !== `${answer.images.length}`) {
    body.dataset.shape = answer.images.length;
    const tiles = make('div', {className: single ? 'large' : 'tiles'}, ...answer.images.map(() => make('button', {className: 'tile'}, make('img'))));
    const mean = make('figure', {}, make('img'), make('figcaption', {text: `mean of the ${answer.images.length}`}));
    const spread = make('figure', {}, make('img'), make('figcaption'));
    body.replaceChildren(...(single ? [] : [mean, spread]), tiles);
    body.append(make('div', {className: 'bars'}));
    if (single) body.append(make('p', {className: 'soft', style: 'max-width: 9rem'}));
  }
  const buttons = body.querySelectorAll('.tile'), figures = body.querySelectorAll('figure');
  answer.images.forEach((src, i) => {
    const hit = answer.hits ? (answer.hits[i] < 0 ? ', hits none of the six' : `, hits answer ${answer.hits[i] + 1}`) : '';
    const label = single ? `${name}: its one answer${hit}` : `${name}, sample ${i}${hit}`;
    buttons[i].firstChild.src = src; buttons[i].firstChild.alt = label;
    buttons[i].onclick = () => detail(label, src, ...told(i));
  });
  if (single) body.lastChild.textContent = !answer.hits ? '' : answer.hits[0] < 0 ? 'It is none of the six right answers.' : `It is right answer ${answer.hits[0] + 1}.`;
  else {
    figures[0].firstChild.src = answer.mean; figures[0].firstChild.alt = `${name}: mean of the samples`;
    figures[1].firstChild.src = answer.deviation; figures[1].firstChild.alt = `${name}: standard deviation of the samples, ${answer.rms.toFixed(3)} in all`;
    figures[1].lastChild.textContent = `standard deviation, ${answer.rms.toFixed(3)} in all`;
  }
  body.querySelector('.bars').hidden = single || !answer.hits;
}
function facts(method, seed, i, num, steps) {
  return num === 1 ? 'A regression network has no latents: the seed changes nothing.' : `Seed ${seed}, sample ${i} of 0 to ${num - 1}${method === 'flow' ? `, ${steps} of Euler's steps` : ''}.`;
}
const count = (hits, counts = new Array(TONES + 1).fill(0)) => { for (const hit of hits) counts[hit < 0 ? TONES : hit]++; return counts; };
function drawBars(method, counts, truths) {  // how many samples hit each of the six answers, and none
  const bars = $(`card-${method}`).querySelector('.bars'), total = counts.reduce((a, b) => a + b);
  bars.replaceChildren(...counts.flatMap((num, i) => [
    i < TONES ? make('img', {src: truths[i], alt: `answer ${i + 1}`}) : make('span', {text: 'none'}),
    make('div', {}, make('i', {style: `width: ${100 * num / total}%`})), make('span', {text: num})]));
  bars.setAttribute('role', 'group'); bars.setAttribute('aria-label', `${TITLES[method]}: which of the six answers ${total} samples hit`);
}

// One tile, and the command that makes it

function detail(title, src, about, command) {
  $('detailhead').textContent = title; $('big').src = src; $('big').alt = title; $('facts').textContent = about; $('command').value = command; $('copied').textContent = '';
  $('detail').showModal(); $('copy').focus();
}
$('close').onclick = () => $('detail').close();
$('copy').onclick = async () => {
  try { await navigator.clipboard.writeText($('command').value); } catch { $('command').select(); document.execCommand('copy'); }
  $('copied').textContent = 'Copied.';
};

// Points in the plane

function plot(plane, toy, aside = '') {  // returns what is to be seen, in words
  const art = plane.getContext('2d'), side = plane.width, place = x => (x / toy.extent + 1) / 2 * side, night = dark();
  art.fillStyle = night ? '#16171a' : '#fff'; art.fillRect(0, 0, side, side);
  if (toy.surface) {
    const num = toy.surface.length, small = new OffscreenCanvas(num, num), pixels = new ImageData(num, num);
    toy.surface.forEach((row, j) => row.forEach((level, i) => {
      const share = level / 255, from = night ? [22, 23, 26] : [255, 255, 255], to = night ? [40, 84, 120] : [150, 198, 240];
      pixels.data.set([...from.map((value, k) => value + share * (to[k] - value)), 255], 4 * ((num - 1 - j) * num + i));
    }));
    small.getContext('2d').putImageData(pixels, 0, 0);
    art.imageSmoothingEnabled = true; art.drawImage(small, 0, 0, side, side);
  }
  art.strokeStyle = night ? '#fff' : '#1d1d1f'; art.lineWidth = 1.5;
  for (const [x, y] of toy.centres) { art.beginPath(); art.arc(place(x), side - place(y), 11, 0, 7); art.stroke(); }
  art.fillStyle = night ? '#ffb45c' : '#b34700';
  for (const [x, y] of toy.points) art.fillRect(place(x) - 1.5, side - place(y) - 1.5, 3, 3);
  const text = `Step ${toy.steps} of ${toy.num_steps}: ${toy.modes} of ${toy.num_modes} modes hit, ${Math.round(100 * toy.good_share)} % of the points within three standard deviations of one${aside}.`;
  plane.setAttribute('aria-label', `${toy.points.length} points. ${text}`);
  return text;
}
