(function () {
  var id = function (i) { return document.getElementById(i) };
  if (!id('map-data')) return;
  var all = function (q) { return [].slice.call(id('map').querySelectorAll(q)) },
    data = JSON.parse(id('map-data').textContent), steps = data.steps,
    svg = id('map-f').querySelector('svg'), panel = id('map-p'), first = panel.firstElementChild,
    slider = id('map-s'), back = id('map-b'), out = id('map-o'),
    lines = all('.e'), labels = all('.l'), boxes = all('.n'), now = null, shown = null, wait = '';

  labels.forEach(function (l) { l.share = (l.querySelector('tspan') || l.querySelector('text')).textContent });

  function make(tag, parent, text, kind) {
    var e = document.createElement(tag);
    if (text) e.textContent = text;
    if (kind) e.className = kind;
    parent.appendChild(e);
    return e;
  }
  function rows(parent, title, list) {
    if (!list.length) return;
    var part = make('div', parent);
    make('h4', part, title);
    list.forEach(function (r) {
      var to = steps[r[3]], row = make(to ? 'button' : 'div', part, '', 'mrow' + (r[3] === '-' ? ' x' : ''));
      make('span', row, r[0]);
      var b = make('b', row, r[1]);
      if (r[4]) b.dataset.ref = r[4];
      make('i', row).style.width = 100 * r[2] + '%';
      if (to) row.onclick = function () { choose(r[3], true) };
    });
  }
  function fill() {
    if (shown) panel.removeChild(shown);
    shown = null;
    first.hidden = !!now;
    panel.classList.toggle('on', !!now);
    if (!now) return;
    var s = steps[now], part, list;
    shown = make('div', panel, '', 'msel');
    part = make('div', shown);
    make('h3', part, s.n);
    make('p', part, s.k, 'q');
    if (s.m) make('p', part, s.m, 'q');
    list = make('dl', part);
    s.d.forEach(function (d) {
      make('dt', list, d[0]);
      var v = make('dd', list), n = make('span', v, d[1]);
      if (d[3]) n.dataset.ref = d[3];
      if (d[2]) make('small', v, d[2]);
    });
    rows(shown, data.next, s.o);
    rows(shown, data.before, s.i);
  }
  function draw() {
    var k = slider ? +slider.value : 1e9, near = {};
    if (out) out.textContent = out.dataset.t.replace('#', k);
    function mark(e) {
      var d = e.dataset, on = !!now && (d.s === now || d.t === now),
        seen = +d.r < k && !(back && !back.checked && e.back);
      if (on && seen) near[d.s] = near[d.t] = 1;
      e.classList.toggle('on', on);
      return seen && (on || d.b !== '0');
    }
    lines.forEach(function (e) { e.back = e.classList.contains('bk'); e.classList.toggle('off', !mark(e)) });
    labels.forEach(function (l, i) {
      l.back = lines[i].back;
      var seen = mark(l), t = l.querySelector('tspan') || l.querySelector('text');
      l.classList.toggle('off', !seen || (wait && !l.dataset.w));
      t.textContent = wait ? l.dataset.w || '' : l.share;
    });
    svg.classList.toggle('sel', !!now);
    boxes.forEach(function (b) {
      var i = b.dataset.id;
      b.classList.toggle('on', i === now || !!near[i]);
      b.setAttribute('aria-pressed', i === now);
    });
  }
  function choose(step, go) {
    now = step && step !== now && steps[step] ? step : null;
    try { history.replaceState(null, '', now ? '#step=' + now : '#map') } catch (e) { /* a frame without address */ }
    draw();
    fill();
    if (go) boxes.forEach(function (b) { if (b.dataset.id === now) { b.focus(); b.scrollIntoView({ block: 'center' }) } });
  }

  svg.setAttribute('role', 'group');
  boxes.forEach(function (b) { b.setAttribute('tabindex', 0); b.setAttribute('role', 'button') });
  svg.addEventListener('click', function (ev) {
    var b = ev.target.closest('.n');
    choose(b && b.dataset.id);
  });
  id('map').addEventListener('keydown', function (ev) {
    var b = ev.target.closest('.n');
    if (b && (ev.key === 'Enter' || ev.key === ' ')) { ev.preventDefault(); choose(b.dataset.id) }
    if (ev.key === 'Escape' && now) choose(null);
  });
  if (slider) slider.oninput = draw;
  if (back) back.onchange = draw;
  all('[name=map-m]').forEach(function (r) { r.onchange = function () { wait = r.value; draw() } });
  id('map-c').hidden = false;
  all('.mhint').forEach(function (p) { p.hidden = false });
  draw();
  var at = /^#step=([a-z0-9.-]+)$/.exec(location.hash);
  if (at) choose(at[1]);
})();
