using Orchestrator.Handlers.Common;
using Orchestrator.Worker.Payloads;
using Orchestrator.Worker.Tasks;

namespace Orchestrator.Handlers.Io;

/// <summary>Reads files below allowed directories.</summary>
internal static class FileHandlers
{
    public static void Register(ITaskMap map, StockHandlerOptions options)
    {
        var paths = new AllowedPaths(options.AllowedDirectories, options.DeniedDirectories);
        map.MapTask(
            "read_file", (PathInput input, TaskContext context) => ReadAsync(paths, input.Path, context),
            new()
            {
                Json = StockJson.Default.Options,
                Description = "Reads a file below an allowed directory; answers with its bytes.",
                Example = """{"path": "/srv/data/report.txt"}""",
            });
    }

    private static async Task<byte[]> ReadAsync(AllowedPaths paths, string path, TaskContext context)
    {
        var real = paths.Resolve("path", path);
        using var handle = File.OpenHandle(real, options: FileOptions.Asynchronous | FileOptions.SequentialScan);
        paths.CheckOpened("path", path, handle);
        var length = RandomAccess.GetLength(handle);
        if (length > context.MaxPayloadBytes)
            throw new PayloadTooLargeException($"'{path}'", length, context.MaxPayloadBytes);
        var content = new byte[length];
        var read = 0;
        while (read < content.Length)
        {
            var count = await RandomAccess.ReadAsync(handle, content.AsMemory(read), read, context.CancellationToken);
            if (count == 0)
                break;
            read += count;
        }

        // The file may have shrunk in the meantime.
        return read == content.Length ? content : content[..read];
    }
}
