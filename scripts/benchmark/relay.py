"""Passes TCP connections on with a delay: `python3 relay.py PORT MILLISECONDS`; the first line that it prints is its own port.

Each way takes half of the delay. Bytes on their way are kept, so that a long way costs time and no throughput.
"""
import asyncio
import sys

CHUNK = 256 * 1024
# More than a gigabyte a second for 30 ms.
MOST_CHUNKS_ON_THEIR_WAY = 256


async def fetch(reader, queue, seconds):
    """Takes what comes, with the moment at which it is due at the other end."""
    clock = asyncio.get_running_loop().time
    while True:
        try:
            chunk = await reader.read(CHUNK)
        except ConnectionError:
            chunk = b""
        await queue.put((clock() + seconds, chunk))
        if not chunk:
            return


async def deliver(writer, queue):
    """Hands on what is due."""
    clock = asyncio.get_running_loop().time
    while True:
        due, chunk = await queue.get()
        if (rest := due - clock()) > 0:
            await asyncio.sleep(rest)
        try:
            if not chunk:
                writer.write_eof()
                return
            writer.write(chunk)
            await writer.drain()
        except (ConnectionError, OSError):
            chunk = b""


async def main(port, seconds):
    async def serve(reader, writer):
        try:
            far_reader, far_writer = await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            writer.close()
            return
        up, down = (asyncio.Queue(MOST_CHUNKS_ON_THEIR_WAY) for _ in range(2))
        ways = [
            asyncio.ensure_future(way) for way in (
                fetch(reader, up, seconds / 2), deliver(far_writer, up),
                fetch(far_reader, down, seconds / 2), deliver(writer, down))]
        # When the far end has ended and that has been told, nothing more can come.
        await asyncio.wait([ways[3]])
        for way in ways:
            way.cancel()
        for end in (writer, far_writer):
            end.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), float(sys.argv[2]) / 1000))
