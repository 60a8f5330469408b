"""The line between programs on a machine and the simulator."""

from __future__ import annotations

import asyncio

from simulator.wine.line import Line


def test_a_question_gets_its_answer_and_one_that_nobody_knows_none() -> None:
    async def talk() -> list[bytes]:
        async def upper(about: str, _ended: asyncio.Event) -> str:
            return about.upper()

        line = Line({"say": upper})
        port = await line.open()
        answers = []
        for asked in ("say\tblåbær x\n".encode(), b"sing\tx\n"):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(asked)
            answers.append(await reader.read())
            writer.close()
        await line.close()
        return answers

    assert asyncio.run(talk()) == ["BLÅBÆR X\n".encode(), b""]


def test_a_program_that_ends_before_its_answer_is_told_of() -> None:
    async def talk() -> bool:
        told = asyncio.get_running_loop().create_future()

        async def wait(_about: str, ended: asyncio.Event) -> str:
            await ended.wait()
            told.set_result(True)
            return ""

        line = Line({"run": wait})
        _reader, writer = await asyncio.open_connection("127.0.0.1", await line.open())
        writer.write(b"run\tx\n")
        await writer.drain()
        writer.close()
        answer = await told
        await line.close()
        return bool(answer)

    assert asyncio.run(talk())
