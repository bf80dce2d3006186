// The jobs in njs; `sessions` is the js_preload_object of njs.conf.
function session(r) {
  const key = r.headersIn['X-Api-Key'];
  return key ? sessions[key] : undefined;
}
function user(r) { const s = session(r); return s ? s.user : ''; }
function tenant(r) { const s = session(r); return s ? s.tenant : ''; }
function header_filter(r) { r.headersOut['X-Gateway'] = 'perf'; }
function early(r) {
  r.headersOut['X-Gateway'] = 'perf';
  r.return(200, '{filler}');
}
async function body(r) {
  const order = JSON.parse(r.requestText);
  order.gateway_user = 'user-42';
  const reply = await r.subrequest('/up' + r.uri, { method: 'POST', body: JSON.stringify(order) });
  r.headersOut['Content-Type'] = reply.headersOut['Content-Type'];
  r.headersOut['ETag'] = reply.headersOut['ETag'];
  r.return(reply.status, reply.responseText);
}
export default { user, tenant, header_filter, early, body };
