"""The same jobs as FastAPI's tutorials do them, to measure against: peer.py PORT FOLDER"""

import asyncio
import json
import sys

import uvicorn
from fastapi import FastAPI, Request, WebSocket
from fastapi.responses import FileResponse, StreamingResponse

app = FastAPI()
queues = set()
number = 0


async def steps(count):
    for i in range(1, count + 1):
        yield f"step {i}: {i} x 2 = {i * 2}\n"


@app.get("/lines")
async def lines(count: int):
    return StreamingResponse(steps(count), media_type="text/plain")


async def waiting(queue):
    try:
        yield ": hello\n\n"
        while True:
            yield await queue.get()
    finally:
        queues.discard(queue)


@app.get("/events")
async def subscribe():
    queue = asyncio.Queue()
    queues.add(queue)
    return StreamingResponse(waiting(queue), media_type="text/event-stream")


@app.post("/events", status_code=201)
async def publish(request: Request):
    global number
    number += 1
    event = f"id: {number}\ndata: {json.dumps(await request.json())}\n\n"
    for queue in queues:
        queue.put_nowait(event)
    return {"id": number}


@app.websocket("/ws")
async def echo(ws: WebSocket):
    await ws.accept()
    async for message in ws.iter_text():
        await ws.send_text("Processed data: " + message)


@app.get("/{name}")
async def file(name: str):
    return FileResponse(f"{sys.argv[2]}/{name}")


uvicorn.run(app, host="127.0.0.1", port=int(sys.argv[1]), log_level="error")
