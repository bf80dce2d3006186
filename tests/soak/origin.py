"""The upstream of the soak, in a process of its own; the path says how it answers."""
import asyncio
import socket
import struct

BODY = b"x" * 128


def reset(writer):
    writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


async def serve(reader, writer):
    try:
        while True:
            head = await reader.readuntil(b"\r\n\r\n")
            how = head.split(b" ", 2)[1].rsplit(b"/", 1)[-1]
            length = next((int(line.split(b":")[1]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")), 0)
            if how == b"deaf":  # takes nothing of the body
                await asyncio.sleep(3)
            if how == b"early":  # half an answer, whatever still comes
                writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % (2 * len(BODY)) + BODY)
            if length:
                await reader.readexactly(length)
            if how == b"reset":
                return reset(writer)
            if how == b"cut":
                writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n" + BODY)
                await writer.drain()
                return reset(writer)
            if how == b"cut-chunked":
                writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n80\r\n" + BODY + b"\r\n")
                await writer.drain()
                return reset(writer)
            if how == b"silent":
                await asyncio.sleep(5)
            if how == b"broken":
                writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nxx")
                await writer.drain()
                return writer.close()
            if how == b"early":
                writer.write(BODY)
                continue
            size = 4_000_000 if how == b"big" else len(BODY)
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: %d\r\n\r\n" % size)
            writer.write(BODY if size == len(BODY) else b"x" * size)
            await writer.drain()
    except (asyncio.IncompleteReadError, ConnectionError):
        pass
    finally:
        writer.close()


async def main():
    server = await asyncio.start_server(serve, "127.0.0.1", 0, backlog=1024)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main())
