// Copyright: Contributors to the project
// GNU General Public License v3.0 or later (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
// SPDX-License-Identifier: GPL-3.0-or-later

// The drives of a PowerShell process of the simulator that are no folders: the registry, and those that nobody has.

using System;
using System.Collections.Generic;
using System.Collections.ObjectModel;
using System.Management.Automation;
using System.Management.Automation.Provider;
using System.Text.Json;

namespace Interactor.Simulator
{
    /// <summary>The drives that no simulated machine has: whoever looks there is told so, and the simulator as well. WSMan: is
    /// one of them but for what the simulator tells of it.</summary>
    [CmdletProvider("Nowhere", ProviderCapabilities.None)]
    public sealed class NowhereProvider : NavigationCmdletProvider
    {
        protected override Collection<PSDriveInfo> InitializeDefaultDrives()
        {
            Collection<PSDriveInfo> drives = new Collection<PSDriveInfo>();
            foreach (char letter in "ABEFGHIJKLMNOPQRSTUVWXYZ") { drives.Add(new PSDriveInfo(letter.ToString(), ProviderInfo, "", "", null)); }
            drives.Add(new PSDriveInfo("WSMan", ProviderInfo, "", "", null));
            return drives;
        }

        protected override bool IsValidPath(string path) { return true; }
        protected override bool IsItemContainer(string path) { throw Unknown(); }
        protected override void GetItem(string path)
        {
            PSObject item = new PSObject();
            item.Properties.Add(new PSNoteProperty("Name", path.Substring(path.LastIndexOf('\\') + 1)));
            item.Properties.Add(new PSNoteProperty("Value", Setting(path)));
            WriteItemObject(item, path, false);
        }
        protected override bool ItemExists(string path) { return Setting(path) != null; }
        protected override void NewItem(string path, string itemTypeName, object newItemValue) { throw Unknown(); }

        private string Setting(string path)
        {
            if (PSDriveInfo == null || PSDriveInfo.Name != "WSMan") { throw Unknown(); }
            string plain = path.Replace('/', '\\').Trim('\\');
            JsonElement told = Line.Ask("wsman", new Dictionary<string, object> { { "path", plain } });
            if (told.ValueKind == JsonValueKind.Null) { throw Unknown(plain); }
            return told.GetString();
        }

        private Exception Unknown(string path = "")
        {
            string drive = "the drive " + (PSDriveInfo == null ? "of this path" : PSDriveInfo.Name + ":" + path);
            Line.Ask("unknown", new Dictionary<string, object> { { "text", drive } });
            return new ItemNotFoundException("the engine does not know " + drive);
        }
    }

    /// <summary>A key of the registry, as it is piped.</summary>
    public sealed class Key
    {
        public Key(string name, string[] values, int below)
        {
            Name = name;
            Property = values;
            ValueCount = values.Length;
            SubKeyCount = below;
        }
        public string Name { get; private set; }
        public string[] Property { get; private set; }
        public int ValueCount { get; private set; }
        public int SubKeyCount { get; private set; }
        public override string ToString() { return Name; }
    }

    /// <summary>The registry, whose keys and values the simulator holds.</summary>
    [CmdletProvider("Registry", ProviderCapabilities.ShouldProcess)]
    public sealed class RegistryProvider : NavigationCmdletProvider, IDynamicPropertyCmdletProvider
    {
        private sealed class Found
        {
            internal bool There;
            internal readonly Dictionary<string, object> Values = new Dictionary<string, object>(StringComparer.OrdinalIgnoreCase);
            internal readonly List<string> Below = new List<string>();
        }

        // Keys are told apart with a backslash, also where the engine runs on another system.
        public override char ItemSeparator { get { return '\\'; } }
        public override char AltItemSeparator { get { return '\\'; } }

        private static string Plain(string path) { return path.Replace('/', '\\').Trim('\\'); }

        private static object Value(JsonElement told)
        {
            JsonElement data = told.GetProperty("data");
            switch (told.GetProperty("kind").GetString())
            {
                case "dword": return data.GetInt32();
                case "qword": return data.GetInt64();
                case "binary": return Convert.FromHexString(data.GetString());
                case "multi":
                    List<string> lines = new List<string>();
                    foreach (JsonElement line in data.EnumerateArray()) { lines.Add(line.GetString()); }
                    return lines.ToArray();
                default: return data.GetString();
            }
        }

        private static Dictionary<string, object> Told(object value)
        {
            PSObject wrapped = value as PSObject;
            if (wrapped != null) { value = wrapped.BaseObject; }
            if (value is int || value is uint) { return Kind("dword", Convert.ToInt64(value)); }
            if (value is long || value is ulong) { return Kind("qword", Convert.ToInt64(value)); }
            byte[] bytes = value as byte[];
            if (bytes != null) { return Kind("binary", Convert.ToHexString(bytes).ToLowerInvariant()); }
            object[] list = value as object[];
            if (list != null) { return Kind("multi", Array.ConvertAll(list, each => Convert.ToString(each))); }
            return Kind("string", Convert.ToString(value));
        }

        private static Dictionary<string, object> Kind(string kind, object data)
        {
            return new Dictionary<string, object> { { "kind", kind }, { "data", data } };
        }

        private static JsonElement Ask(string what, string path, params object[] more)
        {
            Dictionary<string, object> of = new Dictionary<string, object> { { "key", Plain(path) } };
            for (int at = 0; at < more.Length; at += 2) { of[(string)more[at]] = more[at + 1]; }
            return Line.Ask("registry " + what, of);
        }

        private static Found Look(string path)
        {
            Found found = new Found();
            JsonElement told = Ask("look", path);
            if (told.ValueKind == JsonValueKind.Null) { return found; }
            found.There = true;
            foreach (JsonProperty value in told.GetProperty("values").EnumerateObject()) { found.Values[value.Name] = Value(value.Value); }
            foreach (JsonElement name in told.GetProperty("keys").EnumerateArray()) { found.Below.Add(name.GetString()); }
            return found;
        }

        private bool Missing(Found found, string path)
        {
            if (found.There) { return false; }
            Exception error = new ItemNotFoundException("Cannot find path '" + path + "' because it does not exist.");
            WriteError(new ErrorRecord(error, "PathNotFound", ErrorCategory.ObjectNotFound, path));
            return true;
        }

        private void Pipe(Found found, string path)
        {
            string[] names = new string[found.Values.Count];
            found.Values.Keys.CopyTo(names, 0);
            WriteItemObject(new Key(Plain(path), names, found.Below.Count), path, true);
        }

        protected override Collection<PSDriveInfo> InitializeDefaultDrives()
        {
            return new Collection<PSDriveInfo>
            {
                new PSDriveInfo("HKLM", ProviderInfo, "HKEY_LOCAL_MACHINE", "", null),
                new PSDriveInfo("HKCU", ProviderInfo, "HKEY_CURRENT_USER", "", null),
                new PSDriveInfo("HKU", ProviderInfo, "HKEY_USERS", "", null),
            };
        }

        protected override bool IsValidPath(string path) { return true; }
        protected override bool ItemExists(string path) { return Plain(path).Length == 0 || Look(path).There; }
        protected override bool IsItemContainer(string path) { return ItemExists(path); }
        protected override bool HasChildItems(string path) { return Look(path).Below.Count > 0; }

        protected override void GetItem(string path)
        {
            Found found = Look(path);
            if (!Missing(found, path)) { Pipe(found, path); }
        }

        protected override void GetChildItems(string path, bool recurse)
        {
            Found found = Look(path);
            if (Missing(found, path)) { return; }
            foreach (string name in found.Below)
            {
                string below = MakePath(path, name);
                Pipe(Look(below), below);
                if (recurse) { GetChildItems(below, true); }
            }
        }

        protected override void GetChildNames(string path, ReturnContainers returnContainers)
        {
            foreach (string name in Look(path).Below) { WriteItemObject(name, MakePath(path, name), true); }
        }

        protected override void NewItem(string path, string itemTypeName, object newItemValue)
        {
            Ask("make", path);
            if (newItemValue != null) { Ask("set", path, "name", "(default)", "value", Told(newItemValue)); }
            Pipe(Look(path), path);
        }

        protected override void RemoveItem(string path, bool recurse)
        {
            if (!Missing(Look(path), path)) { Ask("remove", path); }
        }

        public void GetProperty(string path, Collection<string> providerSpecificPickList)
        {
            Found found = Look(path);
            if (Missing(found, path)) { return; }
            PSObject told = new PSObject();
            bool all = providerSpecificPickList == null || providerSpecificPickList.Count == 0;
            foreach (KeyValuePair<string, object> value in found.Values)
            {
                if (all || Picked(providerSpecificPickList, value.Key)) { told.Properties.Add(new PSNoteProperty(value.Key, value.Value)); }
            }
            foreach (string name in all ? new Collection<string>() : providerSpecificPickList)
            {
                if (WildcardPattern.ContainsWildcardCharacters(name) || found.Values.ContainsKey(name)) { continue; }
                Exception error = new PSArgumentException("Property " + name + " does not exist at path " + path + ".");
                WriteError(new ErrorRecord(error, "PropertyNotFound", ErrorCategory.InvalidArgument, path));
            }
            WritePropertyObject(told, path);
        }

        private static bool Picked(Collection<string> names, string name)
        {
            foreach (string wanted in names)
            {
                if (new WildcardPattern(wanted, WildcardOptions.IgnoreCase).IsMatch(name)) { return true; }
            }
            return false;
        }

        public void SetProperty(string path, PSObject propertyValue)
        {
            if (Missing(Look(path), path)) { return; }
            foreach (PSPropertyInfo value in propertyValue.Properties) { Ask("set", path, "name", value.Name, "value", Told(value.Value)); }
            WritePropertyObject(propertyValue, path);
        }

        public void NewProperty(string path, string propertyName, string propertyTypeName, object value)
        {
            if (Missing(Look(path), path)) { return; }
            string type = (propertyTypeName ?? "").ToLowerInvariant();
            object typed = value;
            switch (type)
            {
                case "dword": typed = LanguagePrimitives.ConvertTo<int>(value); break;
                case "qword": typed = LanguagePrimitives.ConvertTo<long>(value); break;
                case "binary": typed = LanguagePrimitives.ConvertTo<byte[]>(value); break;
                case "multistring": typed = LanguagePrimitives.ConvertTo<object[]>(value); break;
                case "": case "string": case "expandstring": typed = LanguagePrimitives.ConvertTo<string>(value); break;
                default: throw new PSArgumentException("the registry type " + propertyTypeName);
            }
            Ask("set", path, "name", propertyName, "value", Told(typed));
            GetProperty(path, new Collection<string> { propertyName });
        }

        public void RemoveProperty(string path, string propertyName)
        {
            if (!Missing(Look(path), path)) { Ask("unset", path, "name", propertyName); }
        }

        public void ClearProperty(string path, Collection<string> propertyToClear) { throw new PSNotSupportedException("Clear-ItemProperty"); }
        public void RenameProperty(string path, string sourceProperty, string destinationProperty) { throw new PSNotSupportedException("Rename-ItemProperty"); }
        public void CopyProperty(string sourcePath, string sourceProperty, string destinationPath, string destinationProperty) { throw new PSNotSupportedException("Copy-ItemProperty"); }
        public void MoveProperty(string sourcePath, string sourceProperty, string destinationPath, string destinationProperty) { throw new PSNotSupportedException("Move-ItemProperty"); }
        public object GetPropertyDynamicParameters(string path, Collection<string> names) { return null; }
        public object SetPropertyDynamicParameters(string path, PSObject value) { return null; }
        public object ClearPropertyDynamicParameters(string path, Collection<string> names) { return null; }
        public object NewPropertyDynamicParameters(string path, string name, string type, object value) { return null; }
        public object RemovePropertyDynamicParameters(string path, string name) { return null; }
        public object RenamePropertyDynamicParameters(string path, string name, string newName) { return null; }
        public object CopyPropertyDynamicParameters(string path, string name, string other, string otherName) { return null; }
        public object MovePropertyDynamicParameters(string path, string name, string other, string otherName) { return null; }
    }
}
