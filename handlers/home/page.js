const answers = document.querySelector("#answers");
const show = (line) => {
  answers.append(line + "\n");
  if (answers.childNodes.length > 200) answers.firstChild.remove();
  answers.scrollTop = answers.scrollHeight;
};
let socket;
let waiting = [];
// What is sent before the socket is open waits for it; with a socket that never opens it is gone, as the line says.
const connect = () => {
  const opening = new WebSocket(location.href.replace(/^http/, "ws").replace(/[?#].*/, "") + "ws");
  opening.onopen = () => waiting.forEach((message) => opening.send(message));
  opening.onmessage = ({ data }) => show(data);
  opening.onclose = ({ code, reason }) => show(`closed: ${code} ${reason}`);
  return opening;
};
document.querySelector("form").onsubmit = (event) => {
  event.preventDefault();
  const message = event.target.message.value;
  if (socket?.readyState === WebSocket.OPEN) return socket.send(message);
  if (socket?.readyState === WebSocket.CONNECTING) return waiting.push(message);
  waiting = [message];
  socket = connect();
};
