// Copyright: Contributors to the project
// GNU General Public License v3.0 or later (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
// SPDX-License-Identifier: GPL-3.0-or-later

// What a PowerShell process of the simulator has that no script can give it: the line to the simulator, and a host that
// keeps what a console would show. Providers.cs has its drives.

using System;
using System.Collections.Generic;
using System.Collections.ObjectModel;
using System.Globalization;
using System.IO;
using System.Management.Automation;
using System.Management.Automation.Host;
using System.Management.Automation.Runspaces;
using System.Security;
using System.Text;
using System.Text.Json;

namespace Interactor.Simulator
{
    /// <summary>The line to the simulator: JSON objects, one a line. A question is answered before anything else comes.</summary>
    public static class Line
    {
        private static readonly UTF8Encoding Utf8 = new UTF8Encoding(false);
        private static readonly StreamReader Input = new StreamReader(Console.OpenStandardInput(), Utf8);
        private static readonly StreamWriter Output = new StreamWriter(Console.OpenStandardOutput(), Utf8) { AutoFlush = true };
        private static readonly object Gate = new object();

        /// <summary>The next line, or null where the simulator has ended.</summary>
        public static string Read() { return Input.ReadLine(); }

        /// <summary>Send a line.</summary>
        public static void Write(string json) { Output.WriteLine(json); }

        /// <summary>Ask the simulator; its answer as JSON. Throws where the simulator says why not.</summary>
        public static JsonElement Ask(string what, object of)
        {
            lock (Gate)
            {
                Write(JsonSerializer.Serialize(new Dictionary<string, object> { { "ask", what }, { "of", of } }));
                string line = Read();
                if (line == null) { Environment.Exit(0); }
                JsonElement answer = JsonDocument.Parse(line).RootElement.Clone();
                JsonElement error;
                if (answer.TryGetProperty("error", out error)) { throw new RuntimeException(error.GetString()); }
                return answer.GetProperty("value");
            }
        }

        /// <summary>The same for a script, which has its question as JSON and wants the answer so.</summary>
        public static string AskJson(string what, string of)
        {
            return Ask(what, JsonDocument.Parse(of).RootElement).GetRawText();
        }
    }

    /// <summary>Opens the session of a command, and those that the command opens itself: Windows is found in all of them.</summary>
    public class Sessions
    {
        private static readonly List<Runspace> Opened = new List<Runspace>();

        /// <summary>What each begins with.</summary>
        public static InitialSessionState State { get; set; }

        /// <summary>The folder with a host's drives.</summary>
        public static string Root { get; set; }

        /// <summary>A session with the drives of the host, and with a console where the command itself shall run in it.</summary>
        public static Runspace Open(PSHost console)
        {
            Runspace session = console == null ? RunspaceFactory.CreateRunspace(State) : RunspaceFactory.CreateRunspace(console, State);
            lock (Opened) { Opened.Add(session); }
            session.Open();
            SessionStateProxy inside = session.SessionStateProxy;
            ProviderInfo files = inside.Provider.GetOne("FileSystem");
            foreach (string letter in new[] { "C", "D" })
            {
                string folder = Path.Combine(Root, letter);
                if (Directory.Exists(folder)) { inside.Drive.New(new PSDriveInfo(letter, files, folder, "", null), "Global"); }
            }
            inside.Path.SetLocation("C:\\");
            inside.InvokeCommand.CommandNotFoundAction = (sender, about) => Miss(about.CommandName);
            return session;
        }

        /// <summary>In place of PowerShell.Create: it has such a session.</summary>
        public static PowerShell Create()
        {
            PowerShell shell = PowerShell.Create();
            shell.Runspace = Open(null);
            return shell;
        }

        /// <summary>The same where the caller (ansible-core 2.21) says what it wants to begin with: all that Windows has.</summary>
        public static PowerShell Create(InitialSessionState wanted)
        {
            if (wanted.Modules.Count > 0 || wanted.StartupScripts.Count > 0)
            {
                Line.Ask("unknown", new Dictionary<string, object> { { "text", "a session with modules or scripts of its own" } });
            }
            return Create();
        }

        /// <summary>End all that were opened, also where the command has left some: nothing of it works on at the next one.</summary>
        public static void Close()
        {
            Runspace[] all;
            lock (Opened)
            {
                all = Opened.ToArray();
                Opened.Clear();
            }
            foreach (Runspace session in all) { session.Dispose(); }
        }

        // A command that is not found is told to the simulator, also where the script goes on.
        private static void Miss(string name)
        {
            // What is not found is also looked for with Get- before its name.
            if (name.StartsWith("get-", StringComparison.OrdinalIgnoreCase) && name.IndexOf('-', 4) > 0) { return; }
            Line.Ask("unknown", new Dictionary<string, object> { { "text", "the command " + name } });
        }
    }

    /// <summary>A console without a window: keeps the exit code, and what is shown, as powershell.exe gives it to WinRM.</summary>
    public sealed class EngineHost : PSHost
    {
        private readonly Guid id = Guid.NewGuid();
        private readonly EngineUI ui = new EngineUI();

        public int? ExitCode { get; private set; }
        public string Shown { get { return ui.Shown.ToString(); } }
        public IReadOnlyList<KeyValuePair<string, string>> Told { get { return ui.Told; } }
        public override string Name { get { return "ConsoleHost"; } }
        public override Version Version { get { return new Version(5, 1, 20348, 1); } }
        public override Guid InstanceId { get { return id; } }
        public override PSHostUserInterface UI { get { return ui; } }
        public override CultureInfo CurrentCulture { get { return CultureInfo.CurrentCulture; } }
        public override CultureInfo CurrentUICulture { get { return CultureInfo.CurrentUICulture; } }
        public override void SetShouldExit(int exitCode) { ExitCode = exitCode; }
        public override void EnterNestedPrompt() { throw new NotSupportedException("a nested prompt"); }
        public override void ExitNestedPrompt() { throw new NotSupportedException("a nested prompt"); }
        public override void NotifyBeginApplication() { }
        public override void NotifyEndApplication() { }
    }

    internal sealed class EngineUI : PSHostUserInterface
    {
        internal readonly StringBuilder Shown = new StringBuilder();
        internal readonly List<KeyValuePair<string, string>> Told = new List<KeyValuePair<string, string>>();

        private void Tell(string stream, string text) { Told.Add(new KeyValuePair<string, string>(stream, text + "\r\n")); }
        private static Exception Nobody(string what) { return new NotSupportedException(what + ": nobody sits at this console"); }

        public override PSHostRawUserInterface RawUI { get { return null; } }
        public override void Write(string value) { Shown.Append(value); }
        public override void Write(ConsoleColor foreground, ConsoleColor background, string value) { Shown.Append(value); }
        public override void WriteLine(string value) { Shown.Append(value).Append("\r\n"); }
        public override void WriteErrorLine(string value) { Tell("Error", value); }
        public override void WriteDebugLine(string value) { Tell("debug", value); }
        public override void WriteVerboseLine(string value) { Tell("verbose", value); }
        public override void WriteWarningLine(string value) { Tell("warning", value); }
        public override void WriteProgress(long sourceId, ProgressRecord record) { }
        public override string ReadLine() { throw Nobody("Read-Host"); }
        public override SecureString ReadLineAsSecureString() { throw Nobody("Read-Host"); }
        public override Dictionary<string, PSObject> Prompt(string caption, string message, Collection<FieldDescription> fields) { throw Nobody("a prompt"); }
        public override int PromptForChoice(string caption, string message, Collection<ChoiceDescription> choices, int defaultChoice) { throw Nobody("a prompt"); }
        public override PSCredential PromptForCredential(string caption, string message, string userName, string targetName) { throw Nobody("Get-Credential"); }
        public override PSCredential PromptForCredential(string caption, string message, string userName, string targetName, PSCredentialTypes types, PSCredentialUIOptions options) { throw Nobody("Get-Credential"); }
    }
}
